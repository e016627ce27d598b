//! Which endpoints are refused without keys, and what is said of keys that cannot be used.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Output;

use crate::common::signd;

/// `signd check` with this configuration.
fn check(folder: &Path, config: &str) -> (Option<i32>, String) {
    let path = folder.join("signd.toml");
    std::fs::write(&path, config).expect("writes");
    said(&signd().arg("check").arg("--config").arg(path).output().expect("runs"))
}

fn said(output: &Output) -> (Option<i32>, String) {
    let both = [&output.stdout[..], &output.stderr].concat();
    (output.status.code(), String::from_utf8_lossy(&both).into_owned())
}

/// A new key file; its public key.
fn keygen(path: &Path) -> String {
    let (code, said) = said(&signd().arg("keygen").arg(path).output().expect("runs"));
    assert_eq!((code, said.trim().len()), (Some(0), 40), "{said}");
    said.trim().to_owned()
}

#[test]
fn an_endpoint_off_the_box_is_refused_without_keys_unless_the_operator_says_so() {
    let folder = tempfile::tempdir().expect("folder");
    let box_only = format!("ipc://{}", folder.path().join("x").display());
    let two = format!("ingest = [\"{box_only}\", \"pull:tcp://192.168.0.7:5556\"]");
    for open in [
        "publish = \"tcp://*:5557\"",
        "publish = \"tcp://0.0.0.0:5557\"",
        "publish = \"tcp://[::]:5557\"",
        "publish = \"tcp://eth0:5557\"",
        &two,
        "ingest = [\"sub+connect:tcp://camera.local:5556\"]",
    ] {
        let (code, said) = check(folder.path(), open);
        assert_eq!(code, Some(78), "{open}: {said}");
        assert!(said.contains("can be reached from other machines"), "{said}");
        assert!(said.contains("signd keygen"), "what to do: {said}");
        let (code, said) = check(folder.path(), &format!("{open}\n[keys]\nallow_open = true"));
        assert!(said.contains("open, without keys"), "{said}");
        // An address that this machine does not have is told of, too.
        let elsewhere = ["192.168.0.7", "eth0"].iter().any(|host| open.contains(host));
        assert!(code == Some(0) || elsewhere && code == Some(1), "{open}: {said}");
    }
    for near in ["tcp://127.0.0.1:5557", "tcp://[::1]:5557", "tcp://localhost:5557", &box_only] {
        let (code, said) = check(folder.path(), &format!("publish = \"{near}\""));
        assert_eq!(code, Some(0), "{near}: {said}");
    }
    // The daemon itself, not only the check.
    let run = ["run", "--ingest", &box_only, "--publish=tcp://*:0"];
    assert_eq!(said(&signd().args(run).output().expect("runs")).0, Some(78));
}

#[test]
fn what_is_wrong_with_keys_is_said_without_saying_a_secret() {
    let folder = tempfile::tempdir().expect("folder");
    let at = |name: &str| folder.path().join(name);
    let (own, cam) = (at("signd.key"), at("cam.key"));
    keygen(&own);
    let public = keygen(&cam);
    std::fs::copy(&own, at("exposed.key")).expect("copies");
    std::fs::set_permissions(at("exposed.key"), PermissionsExt::from_mode(0o644)).expect("sets");
    let secret = |path: &Path| {
        let text = std::fs::read_to_string(path).expect("reads");
        text.split('"').nth(3).expect("the secret").to_owned()
    };
    let secrets = [secret(&own), secret(&cam)];
    std::fs::write(at("torn.key"), format!("secret = \"{}", secrets[0])).expect("writes");
    std::fs::set_permissions(at("torn.key"), PermissionsExt::from_mode(0o600)).expect("sets");

    let key = |name: &str| format!("secret = \"{}\"\n", at(name).display());
    let client = |rows: &str| format!("{}[keys.clients.cam]\n{rows}\n", key("signd.key"));
    let good = client(&format!("key = \"{public}\""));
    let publish = "publish = \"tcp://*:5557\"\n";
    let camera = "ingest = [\"sub+connect:tcp://10.0.0.7:1\"]\n";
    for (head, keys, code, words) in [
        (publish, good.clone(), 0, "usable"),
        ("", key("signd.key"), 0, "usable"),
        ("", key("no.key"), 78, "no.key"),
        ("", key("exposed.key"), 78, "chmod 600"),
        ("", key("torn.key"), 78, "not a key file"),
        ("", key("cam.key") + "loopback = \"perhaps\"", 78, "loopback"),
        ("", "loopback = true".into(), 78, "keys.loopback needs the daemon's own key"),
        ("", good.replace("signd.key", "").replace("secret", "#"), 78, "keys.clients needs"),
        ("", client("key = \"abc\""), 78, "keys.clients.cam.key: not a public key"),
        ("", client("publish = []"), 78, "key"),
        ("", good.clone() + "publish = [\"a*b\"]", 78, "keys.clients.cam.publish: `a*b`"),
        (
            "",
            good.clone() + &good.split_once('\n').expect("two").1.replace("cam", "eye"),
            78,
            "cam and eye",
        ),
        (camera, good.clone(), 78, "CLIENT@tcp://10.0.0.7:1"),
        ("ingest = [\"sub+connect:eve@tcp://10.0.0.7:1\"]\n", good.clone(), 78, "keys.clients.eve"),
        ("ingest = [\"sub+connect:cam@tcp://10.0.0.7:1\"]\n", good.clone(), 0, "usable"),
        ("ingest = [\"sub:cam@tcp://127.0.0.1:1\"]\n", good.clone(), 78, "only with +connect"),
    ] {
        let config = format!("{head}[keys]\n{keys}");
        let (found, said) = check(folder.path(), &config);
        assert_eq!(found, Some(code), "{config}{said}");
        assert!(said.contains(words), "{config}{said}");
        assert!(secrets.iter().all(|secret| !said.contains(&secret[..8])), "{said}");
    }
}

#[test]
fn a_key_file_is_never_overwritten_and_a_credential_is_found() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("signd.key");
    keygen(&path);
    let before = std::fs::read(&path).expect("reads");
    let (code, text) = said(&signd().arg("keygen").arg(&path).output().expect("runs"));
    assert_eq!(code, Some(1), "{text}");
    assert_eq!(std::fs::read(&path).expect("reads"), before);

    // systemd's folder is guarded by other means than the file's mode.
    std::fs::set_permissions(&path, PermissionsExt::from_mode(0o444)).expect("sets");
    let config = folder.path().join("signd.toml");
    std::fs::write(&config, "publish = \"tcp://*:5557\"").expect("writes");
    let check = |credentials: &Path| {
        let mut command = signd();
        command.env("CREDENTIALS_DIRECTORY", credentials).args(["check", "--config"]).arg(&config);
        said(&command.output().expect("runs"))
    };
    assert_eq!(check(folder.path()).0, Some(0));
    let empty = tempfile::tempdir().expect("folder");
    assert_eq!(check(empty.path()).0, Some(78));
    std::fs::write(empty.path().join("signd.key"), "").expect("writes");
    let (code, text) = check(empty.path());
    assert_eq!(code, Some(78));
    assert!(text.contains("there is no key"), "an empty credential is none: {text}");
}

#[test]
fn a_daemon_with_keys_whose_port_is_taken_ends_and_says_so() {
    let folder = tempfile::tempdir().expect("folder");
    let key = folder.path().join("signd.key");
    keygen(&key);
    let config = folder.path().join("signd.toml");
    let keys = format!("[keys]\nloopback = true\nsecret = \"{}\"", key.display());
    std::fs::write(&config, keys).expect("writes");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let publish = format!("--publish=tcp://{}", taken.local_addr().expect("its address"));
    let mut run = signd();
    run.args(["run", "--ingest=tcp://127.0.0.1:*", &publish, "--config"]).arg(&config);
    let (code, text) = said(&run.output().expect("runs"));
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("Address already in use"), "{text}");
}
