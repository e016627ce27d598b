//! A daemon that asks for keys on tcp, and clients with and without one.

use std::path::PathBuf;
use std::process::{Child, Command};

use signd_core::frame::{BodyPart, Frame, SourceTime};
use zmq::{CurveKeyPair, Socket};

use super::wait;

/// A coordinate that no log has a reason to hold.
pub const COORDINATE: f32 = 0.471_171_7;

/// A free tcp port of loopback.
pub fn tcp() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    format!("tcp://{}", listener.local_addr().expect("its address"))
}

/// The text of a key.
pub fn z85(key: &[u8]) -> String {
    zmq::z85_encode(key).expect("32 bytes")
}

/// A key of a client's.
pub struct Client(pub CurveKeyPair);

impl Client {
    pub fn new() -> Client {
        Client(CurveKeyPair::new().expect("a pair"))
    }

    /// Its table in the configuration.
    pub fn table(&self, name: &str, publish: &str, subscribe: bool) -> String {
        let key = z85(&self.0.public_key);
        format!(
            "[keys.clients.{name}]\nkey = \"{key}\"\npublish = {publish}\nsubscribe = {subscribe}\n"
        )
    }

    /// Its key file.
    pub fn write(&self, path: &std::path::Path) {
        use std::os::unix::fs::PermissionsExt;
        let (public, secret) = (z85(&self.0.public_key), z85(&self.0.secret_key));
        std::fs::write(path, format!("public = \"{public}\"\nsecret = \"{secret}\"\n"))
            .expect("writes");
        std::fs::set_permissions(path, PermissionsExt::from_mode(0o600)).expect("sets");
    }
}

/// Has the socket show this client's key to this server.
pub fn show_key(socket: &Socket, client: Option<&Client>, server: &Client) {
    if let Some(Client(pair)) = client {
        socket.set_curve_serverkey(&server.0.public_key).expect("sets");
        socket.set_curve_publickey(&pair.public_key).expect("sets");
        socket.set_curve_secretkey(&pair.secret_key).expect("sets");
    }
}

/// A daemon with `keys.loopback`.
pub struct Keyed {
    child: Child,
    folder: tempfile::TempDir,
    pub own: Client,
    pub ingest: String,
    pub publish: String,
    pub context: zmq::Context,
}

impl Keyed {
    /// With these clients; `ingest` may be another input than a bound tcp port.
    pub fn start(clients: &str) -> Keyed {
        let ingest = tcp();
        Keyed::at(&ingest.clone(), ingest, clients)
    }

    /// With this input, to which cameras connect at `ingest`.
    pub fn at(input: &str, ingest: String, clients: &str) -> Keyed {
        Keyed::owning(Client::new(), input, ingest, clients)
    }

    /// With this key of its own.
    pub fn owning(own: Client, input: &str, ingest: String, clients: &str) -> Keyed {
        let folder = tempfile::tempdir().expect("folder");
        let (publish, path) = (tcp(), |name: &str| folder.path().join(name));
        own.write(&path("signd.key"));
        write_config(&path("signd.toml"), &path("signd.key"), clients);
        let file = |name: &str| std::fs::File::create(path(name)).expect("a file");
        let child = super::signd()
            .env("RUST_LOG", "trace")
            .args(["run", "--ingest", input, "--publish", &publish, "--config"])
            .arg(path("signd.toml"))
            .stdout(file("out"))
            .stderr(file("log"))
            .spawn()
            .expect("starts");
        let keyed = Keyed { child, folder, own, ingest, publish, context: zmq::Context::new() };
        keyed.wait_for("ready");
        keyed
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// All it has said.
    pub fn log(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(self.path("log")).expect("a log")).into_owned()
    }

    /// Waits until a line of the log has all these words.
    pub fn wait_for(&self, words: &str) {
        let all = |line: &str| words.split(' ').all(|word| line.contains(word));
        wait(words, || self.log().lines().any(all).then_some(()));
    }

    /// Reads a configuration with these clients.
    pub fn reload(&self, clients: &str) {
        let reloaded = |log: String| log.matches("reloaded;").count();
        let before = reloaded(self.log());
        write_config(&self.path("signd.toml"), &self.path("signd.key"), clients);
        let parent = self.child.id().to_string();
        let status = Command::new("pkill").args(["-HUP", "-P", &parent]).status().expect("pkill");
        assert!(status.success());
        wait("the reload", || (reloaded(self.log()) > before).then_some(()));
    }

    /// A socket with this client's key and the daemon's.
    pub fn socket(&self, kind: zmq::SocketType, client: Option<&Client>) -> Socket {
        let socket = self.context.socket(kind).expect("socket");
        socket.set_linger(0).expect("sets");
        socket.set_rcvtimeo(super::PATIENCE_MS).expect("sets");
        show_key(&socket, client, &self.own);
        socket
    }

    /// A subscriber to everything. Let in, it is told of the streams that there are.
    pub fn watch(&self, client: Option<&Client>) -> Socket {
        let socket = self.socket(zmq::SUB, client);
        socket.set_subscribe(b"").expect("subscribes");
        socket.connect(&self.publish).expect("connects");
        socket
    }

    /// A camera, which may never be let in.
    pub fn camera(&self, client: Option<&Client>) -> Socket {
        let socket = self.socket(zmq::XPUB, client);
        socket.connect(&self.ingest).expect("connects");
        socket
    }

    /// A camera that has been let in.
    pub fn admitted(&self, client: &Client) -> Socket {
        let camera = self.camera(Some(client));
        assert_eq!(camera.recv_bytes(0), Ok(vec![1]), "the daemon subscribes");
        camera
    }

    /// Stops it; its last line. Nothing that it said may hold a secret or a landmark.
    pub fn stop(mut self, clients: &[&Client]) -> String {
        super::terminate(&self.child);
        assert_eq!(self.child.wait().expect("ends").code(), Some(0));
        let out = std::fs::read(self.path("out")).expect("its output");
        let said = [out, std::fs::read(self.path("log")).expect("its log")].concat();
        let coordinate = format!("{COORDINATE}");
        let bits = format!("{}", COORDINATE.to_bits());
        for Client(pair) in clients.iter().copied().chain([&self.own]) {
            let (text, bytes) = (z85(&pair.secret_key), format!("{:?}", pair.secret_key));
            let bytes = bytes.trim_matches(['[', ']']);
            for secret in [&text[..10], &bytes[..20], &coordinate[..6], &bits] {
                let held = said.windows(secret.len()).any(|window| window == secret.as_bytes());
                assert!(!held, "{}", String::from_utf8_lossy(&said));
            }
        }
        for raw in [&COORDINATE.to_le_bytes()[..], &self.own.0.secret_key] {
            assert!(!said.windows(raw.len()).any(|window| window == raw));
        }
        let log = String::from_utf8_lossy(&said).into_owned();
        log.lines().find(|line| line.contains("ended:")).expect("a summary").to_owned()
    }
}

impl Drop for Keyed {
    fn drop(&mut self) {
        if let Ok(None) = self.child.try_wait() {
            super::terminate(&self.child);
            drop(self.child.wait());
        }
    }
}

fn write_config(path: &std::path::Path, key: &std::path::Path, clients: &str) {
    let key = key.display();
    let head = format!("stall_ms = 60000\n[keys]\nsecret = \"{key}\"\nloopback = true\n");
    std::fs::write(path, head + clients).expect("writes");
}

/// A frame with a hand.
pub fn frame(seq: u64) -> Frame {
    let mut frame = Frame::new(seq, SourceTime((seq + 1) * 33_000_000), 640, 480);
    frame.detect(BodyPart::RightHand).fill([COORDINATE; 3]);
    frame
}

/// The number with this name in a summary, 0 when it is left out.
pub fn count(summary: &str, name: &str) -> u64 {
    let word = summary.split_whitespace().find_map(|word| word.strip_prefix(&format!("{name}=")));
    word.map_or(0, |number| number.parse().expect("a number"))
}
