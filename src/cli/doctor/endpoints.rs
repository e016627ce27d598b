//! Endpoints: can they be opened, and if not, who has them?

use super::finding::Finding;
use signd::endpoint::SocketEndpoint;

/// Whether the daemon could bind an endpoint now.
#[derive(Debug, PartialEq, Eq)]
pub enum Place {
    /// It could.
    Free,
    /// A running signd has it.
    Ours(u32),
    /// Something is wrong with it.
    Wrong(Finding),
}

/// Looks at an endpoint that the daemon binds.
pub fn look(part: &'static str, endpoint: &SocketEndpoint) -> Place {
    match endpoint.look() {
        Ok(()) => Place::Free,
        Err(error) => match error.holder {
            Some(holder) if holder.name == "signd" => Place::Ours(holder.pid),
            _ => Place::Wrong(Finding::wrong(part, error.seen, error.remedy)),
        },
    }
}
