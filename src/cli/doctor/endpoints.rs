//! Endpoints: can they be opened, and if not, who has them?

use super::finding::DoctorFinding;
use signd::endpoint::SocketEndpoint;

/// Whether the daemon could bind an endpoint now.
#[derive(Debug, PartialEq, Eq)]
pub enum EndpointState {
    /// It could.
    Free,
    /// A running signd has it.
    Ours(u32),
    /// Something is wrong with it.
    Wrong(DoctorFinding),
}

/// Looks at an endpoint that the daemon binds.
pub fn look(part: &'static str, endpoint: &SocketEndpoint) -> EndpointState {
    match endpoint.look() {
        Ok(()) => EndpointState::Free,
        Err(error) => match error.holder {
            Some(holder) if holder.name == "signd" => EndpointState::Ours(holder.pid),
            _ => EndpointState::Wrong(DoctorFinding::wrong(part, error.seen, error.remedy)),
        },
    }
}
