//! The handshake: a new worker says who it is, the parent welcomes it or refuses.
//!
//! It settles identity and hands over the channels; starting the process and serving the channels happen elsewhere.

use std::fmt;
use std::time::Duration;

use gristmill_ipc::rendezvous::ReplySender;
use gristmill_ipc::{Receiver, Sender, SharedMemory};
use gristmill_log::Endpoint;
use serde::{Deserialize, Serialize};

/// Changes whenever the messages in this file do.
const WIRE: u32 = 1;

/// How long a worker waits for the answer to its hello before it gives up.
pub(crate) const REPLY_LIMIT: Duration = Duration::from_secs(60);

/// Who a program is. Parent and worker compare it before anything else is said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// The application's name.
    pub app: String,
    /// The application's version.
    pub version: String,
    /// The number of the protocol that the application speaks over the channels.
    pub protocol: u32,
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} (protocol {})", self.app, self.version, self.protocol)
    }
}

/// The first message, from the worker.
#[derive(Serialize, Deserialize)]
pub(crate) struct Hello {
    wire: u32,
    pid: u32,
    identity: Identity,
    pub(crate) reply: ReplySender<Reply>,
}

/// The answer.
#[derive(Serialize, Deserialize)]
pub(crate) enum Reply {
    Welcome(Box<Welcome>),
    Refused(String),
}

/// What a worker needs to work. The caller's own welcome follows as the first control message, which may be long.
#[derive(Serialize, Deserialize)]
pub(crate) struct Welcome {
    pub(crate) name: String,
    pub(crate) slot: usize,
    pub(crate) incarnation: u32,
    pub(crate) page: SharedMemory,
    pub(crate) control: Receiver,
    pub(crate) events: Sender,
    pub(crate) log: Option<Endpoint>,
}

impl Hello {
    pub(crate) fn new(identity: &Identity, reply: ReplySender<Reply>) -> Self {
        Self { wire: WIRE, pid: std::process::id(), identity: identity.clone(), reply }
    }

    /// Why the worker cannot be taken, naming both sides.
    pub(crate) fn objection(&self, expected: &Identity, pid: u32) -> Option<String> {
        if self.wire != WIRE {
            return Some(format!("the worker speaks handshake {}, its parent speaks {WIRE}", self.wire));
        }
        if self.identity != *expected {
            return Some(format!("the worker is {}, its parent is {expected}", self.identity));
        }
        let text = || format!("hello came from process {} instead of the worker, {pid}", self.pid);
        (self.pid != pid).then(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity(version: &str) -> Identity {
        Identity { app: "mill".into(), version: version.into(), protocol: 3 }
    }

    #[test]
    fn a_mismatch_names_both_sides() {
        let (reply, _answer) = gristmill_ipc::rendezvous::reply_channel().expect("channel");
        let hello = Hello::new(&identity("1"), reply);
        let me = std::process::id();
        assert_eq!(hello.objection(&identity("1"), me), None);
        let text = hello.objection(&identity("2"), me).expect("refused");
        assert_eq!(text, "the worker is mill 1 (protocol 3), its parent is mill 2 (protocol 3)");
        assert!(hello.objection(&identity("1"), me + 1).expect("refused").contains("instead of"));
    }
}
