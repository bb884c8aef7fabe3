//! A one-way channel of byte frames between two processes.
//!
//! It carries bytes only: what they mean is the codec's and the caller's affair. It never fans in: one sender is used
//! by one process, because a process that dies in mid-send would otherwise cut off all others.

use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

use ipc_channel::ipc::{self, IpcReceiver, IpcSender};
use ipc_channel::{IpcError, TryRecvError};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::spool::Spool;

/// The longest frame that travels inside the channel; longer ones go through a file.
///
/// ipc-channel splits messages above about 200 KiB, and then no deadline holds and a sender that dies in the middle
/// spoils the channel: this stays well below.
pub const INLINE_LIMIT: usize = 60 * 1024;

#[derive(Debug, Serialize, Deserialize)]
enum Frame {
    Inline(#[serde(with = "serde_bytes")] Vec<u8>),
    Spooled { name: String, len: u64 },
}

/// The end that sends. It can travel to another process inside an ipc-channel message.
#[derive(Debug, Serialize, Deserialize)]
pub struct Sender {
    frames: IpcSender<Frame>,
    spool: Spool,
}

/// The end that receives. It can travel to another process inside an ipc-channel message, after which the original is
/// dead.
#[derive(Debug, Serialize, Deserialize)]
pub struct Receiver {
    frames: IpcReceiver<Frame>,
    spool: Spool,
}

/// Why a frame was not sent.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SendError {
    /// The receiver is gone.
    #[error("the receiver is gone")]
    Disconnected,
    /// The system refused, for example for want of disk space for a spooled frame.
    #[error("cannot send: {0}")]
    Io(#[from] io::Error),
}

/// Why no frame came.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum RecvError {
    /// Nothing came in time; later frames are not affected.
    #[error("no frame in time")]
    Timeout,
    /// All senders are gone and every frame was received.
    #[error("the sender is gone")]
    Disconnected,
    /// Something came that is not a frame, or its spooled file is missing or wrong.
    #[error("garbage received: {0}")]
    Garbage(String),
}

/// Makes a channel whose frames above [`INLINE_LIMIT`] are spooled in `spool`, a folder that is made when needed.
///
/// Frames that nobody receives leave their files there: the folder's owner removes it with the channel.
///
/// # Errors
/// When the system is out of descriptors.
pub fn channel(spool: &Path) -> io::Result<(Sender, Receiver)> {
    let (sender, receiver) = ipc::channel()?;
    let spool = Spool::new(spool);
    Ok((Sender { frames: sender, spool: spool.clone() }, Receiver { frames: receiver, spool }))
}

impl Sender {
    /// Sends one frame.
    ///
    /// It blocks while the channel is full (about 200 KiB, or 278 tiny frames) and the receiver lives but does not
    /// read; there is no way to give up earlier. Keep few frames outstanding.
    ///
    /// # Errors
    /// When the receiver is gone or the spooled file cannot be written.
    pub fn send(&self, bytes: &[u8]) -> Result<(), SendError> {
        if bytes.len() <= INLINE_LIMIT {
            return self.send_frame(|| Frame::Inline(bytes.to_vec()));
        }
        let name = self.spool.store(bytes)?;
        let frame = || Frame::Spooled { name: name.clone(), len: bytes.len() as u64 };
        self.send_frame(frame).map_err(|error| match self.spool.discard(&name) {
            Ok(()) => error,
            Err(left) => SendError::Io(left),
        })
    }

    /// A signal that is handled ends the wait for room. A frame is one packet: then nothing of it was sent.
    fn send_frame(&self, frame: impl Fn() -> Frame) -> Result<(), SendError> {
        loop {
            match self.frames.send(frame()).map_err(SendError::from) {
                Err(SendError::Io(error)) if error.kind() == io::ErrorKind::Interrupted => {}
                other => return other,
            }
        }
    }
}

impl From<IpcError> for SendError {
    fn from(error: IpcError) -> Self {
        match error {
            IpcError::Disconnected => Self::Disconnected,
            IpcError::Io(error) if is_hang_up(&error) => Self::Disconnected,
            IpcError::Io(error) => Self::Io(error),
            IpcError::SerializationError(error) => Self::Io(io::Error::other(error)),
        }
    }
}

fn is_hang_up(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset)
}

impl Receiver {
    /// Waits for the next frame as long as a sender lives.
    ///
    /// # Errors
    /// [`RecvError::Disconnected`] at the end of the channel, [`RecvError::Garbage`] for an undecodable frame.
    pub fn recv(&self) -> Result<Vec<u8>, RecvError> {
        loop {
            match self.frames.recv() {
                Err(IpcError::Io(error)) if error.kind() == io::ErrorKind::Interrupted => {}
                other => return self.open(other),
            }
        }
    }

    /// Waits for the next frame for `limit` at most.
    ///
    /// # Errors
    /// [`RecvError::Timeout`] when nothing came, otherwise as [`Receiver::recv`].
    pub fn recv_timeout(&self, limit: Duration) -> Result<Vec<u8>, RecvError> {
        let deadline = Instant::now() + limit;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.frames.try_recv_timeout(left) {
                Ok(frame) => return self.open(Ok(frame)),
                Err(TryRecvError::Empty) => return Err(RecvError::Timeout),
                // Any handled signal ends the wait early.
                Err(TryRecvError::IpcError(IpcError::Io(error)))
                    if error.kind() == io::ErrorKind::Interrupted => {}
                Err(TryRecvError::IpcError(error)) => return self.open(Err(error)),
            }
        }
    }

    fn open(&self, received: Result<Frame, IpcError>) -> Result<Vec<u8>, RecvError> {
        match received {
            Ok(Frame::Inline(bytes)) => Ok(bytes),
            Ok(Frame::Spooled { name, len }) => self.spool.take(&name, len).map_err(garbage),
            Err(IpcError::Disconnected) => Err(RecvError::Disconnected),
            Err(IpcError::Io(error)) if is_hang_up(&error) => Err(RecvError::Disconnected),
            Err(error) => Err(garbage(error)),
        }
    }
}

fn garbage(error: impl std::fmt::Display) -> RecvError {
    RecvError::Garbage(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOON: Duration = Duration::from_secs(5);

    fn pair() -> (tempfile::TempDir, Sender, Receiver) {
        let folder = tempfile::tempdir().expect("temporary folder");
        let (sender, receiver) = channel(folder.path()).expect("channel");
        (folder, sender, receiver)
    }

    fn files(folder: &tempfile::TempDir) -> usize {
        folder.path().read_dir().expect("read folder").count()
    }

    #[test]
    fn short_frames_stay_inside_and_long_ones_leave_no_file() {
        let (folder, sender, receiver) = pair();
        for len in [0, 1, INLINE_LIMIT, INLINE_LIMIT + 1, 1 << 20] {
            let frame: Vec<u8> = (0..len).map(|n| n as u8).collect();
            sender.send(&frame).expect("send");
            assert_eq!(files(&folder), usize::from(len > INLINE_LIMIT));
            assert_eq!(receiver.recv_timeout(SOON).expect("receive"), frame);
        }
        assert_eq!(files(&folder), 0);
    }

    #[test]
    fn the_end_comes_after_the_last_frame() {
        let (_folder, sender, receiver) = pair();
        assert!(matches!(receiver.recv_timeout(Duration::from_millis(1)), Err(RecvError::Timeout)));
        sender.send(b"last").expect("send");
        drop(sender);
        assert_eq!(receiver.recv().expect("receive"), b"last");
        assert!(matches!(receiver.recv(), Err(RecvError::Disconnected)));
        assert!(matches!(receiver.recv_timeout(SOON), Err(RecvError::Disconnected)));
    }

    /// Its handler does nothing and does not restart system calls.
    fn handle_without_restart(signal: libc::c_int) {
        extern "C" fn nothing(_: libc::c_int) {}
        #[allow(unsafe_code)]
        // SAFETY: all zeros are a valid `sigaction`, one with no flags and an empty mask.
        let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
        action.sa_sigaction = nothing as extern "C" fn(libc::c_int) as usize;
        #[allow(unsafe_code)]
        // SAFETY: the action is valid as long as the call lasts, and its handler does nothing.
        let status = unsafe { libc::sigaction(signal, &raw const action, std::ptr::null_mut()) };
        assert_eq!(status, 0);
    }

    #[test]
    fn a_signal_does_not_end_a_send() {
        const FRAMES: usize = 2000;
        handle_without_restart(libc::SIGUSR2);
        let (_folder, sender, receiver) = pair();
        let (tell, who) = std::sync::mpsc::channel();
        let sending = std::thread::spawn(move || {
            #[allow(unsafe_code)]
            // SAFETY: it only returns the number of this thread.
            tell.send(unsafe { libc::pthread_self() }).expect("somebody listens");
            (0..FRAMES).try_for_each(|_| sender.send(b"frame"))
        });
        let thread = who.recv_timeout(SOON).expect("its number");
        for _ in 0..20 {
            std::thread::park_timeout(Duration::from_millis(2));
            #[allow(unsafe_code)]
            // SAFETY: the thread was not joined, and it cannot end: there is no room for so many frames.
            let status = unsafe { libc::pthread_kill(thread, libc::SIGUSR2) };
            assert_eq!(status, 0);
        }
        for _ in 0..FRAMES {
            assert_eq!(receiver.recv_timeout(SOON).expect("receive"), b"frame");
        }
        sending.join().expect("no panic").expect("every frame is sent");
    }

    #[test]
    fn sending_to_nobody_fails_and_leaves_no_file() {
        let (folder, sender, receiver) = pair();
        drop(receiver);
        assert!(matches!(sender.send(b"short"), Err(SendError::Disconnected)));
        assert!(matches!(sender.send(&vec![0; INLINE_LIMIT + 1]), Err(SendError::Disconnected)));
        assert_eq!(files(&folder), 0);
    }

    #[test]
    fn a_frame_whose_file_is_gone_is_garbage_and_the_next_one_arrives() {
        let (folder, sender, receiver) = pair();
        sender.send(&vec![0; INLINE_LIMIT + 1]).expect("send");
        for entry in folder.path().read_dir().expect("read folder") {
            std::fs::remove_file(entry.expect("entry").path()).expect("remove");
        }
        sender.send(b"next").expect("send");
        assert!(matches!(receiver.recv_timeout(SOON), Err(RecvError::Garbage(_))));
        assert_eq!(receiver.recv_timeout(SOON).expect("receive"), b"next");
    }

    #[test]
    fn foreign_bytes_are_garbage() {
        let (sender, receiver) = ipc::channel::<Vec<u32>>().expect("channel");
        sender.send(vec![77; 9]).expect("send");
        let frames = receiver.to_opaque().to();
        let receiver = Receiver { frames, spool: Spool::new(Path::new("/nowhere")) };
        assert!(matches!(receiver.recv_timeout(SOON), Err(RecvError::Garbage(_))));
    }

    #[test]
    fn ends_travel_through_a_channel() {
        let (_folder, sender, receiver) = pair();
        let (carrier, delivery) = ipc::channel::<(Sender, Receiver)>().expect("channel");
        carrier.send((sender, receiver)).expect("send the ends");
        let (sender, receiver) = delivery.recv().expect("receive the ends");
        sender.send(b"hello").expect("send");
        assert_eq!(receiver.recv_timeout(SOON).expect("receive"), b"hello");
    }
}
