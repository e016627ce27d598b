//! Where documentation and examples are: in the source tree, or where the package puts them.

/// Something worth reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DocPointer {
    WireFormat,
    Client,
    Models,
    Configuration,
    Recording,
}

impl DocPointer {
    /// Its path, for the program that runs now.
    pub fn path(self) -> &'static str {
        let installed = std::env::current_exe().is_ok_and(|exe| exe.starts_with("/usr/bin"));
        self.of(installed)
    }

    fn of(self, installed: bool) -> &'static str {
        let (source, package) = match self {
            DocPointer::WireFormat => {
                ("docs/wire-format.md", "/usr/share/doc/signd/wire-format.md")
            }
            DocPointer::Client => ("examples/client.py", "/usr/share/doc/signd/examples/client.py"),
            DocPointer::Models => ("models/README.md", "/usr/share/doc/signd/model-card.md"),
            DocPointer::Configuration => ("conf/signd.toml", "/etc/signd/signd.toml"),
            DocPointer::Recording => {
                ("tests/recordings/signer.mcap", "/usr/share/doc/signd/examples/signer.mcap")
            }
        };
        if installed { package } else { source }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    // The pointers of an installed doctor led into the source tree.
    #[test]
    fn every_pointer_leads_to_a_file_here_and_in_the_package() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let package = ["Cargo.toml", "scripts/deb.sh"]
            .map(|file| std::fs::read_to_string(root.join(file)).expect("reads"));
        for page in [
            DocPointer::WireFormat,
            DocPointer::Client,
            DocPointer::Models,
            DocPointer::Configuration,
            DocPointer::Recording,
        ] {
            assert!(root.join(page.of(false)).is_file(), "{page:?}");
            let name = page.of(true).rsplit('/').next().expect("a name");
            assert!(package.iter().any(|text| text.contains(name)), "{name} is not packaged");
        }
    }
}
