//! The first contact between two processes: one side waits under a name, the other knocks and may get one reply.
//!
//! It bounds the wait, which ipc-channel's own one-shot server does not. It does not judge what a hello says.

use std::env;
use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use ipc_channel::IpcError;
use ipc_channel::ipc::{self, IpcOneShotServer, IpcSender};
use rustix::fs::{Access, access};
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType, connect, socket_with};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::first_use::first_use;

/// A socket address holds 107 bytes, of which `/.tmpXXXXXX/socket` takes 18. ipc-channel would cut off the rest.
const LONGEST_TMPDIR: usize = 107 - 18;

/// How long an expired wait may take to clean up, which only a peer that connects and stays silent can use up.
const FAREWELL: Duration = Duration::from_millis(250);

/// What can go through a rendezvous.
pub trait Message: Serialize + for<'de> Deserialize<'de> + Send + 'static {}
impl<T: Serialize + for<'de> Deserialize<'de> + Send + 'static> Message for T {}

/// Why nobody came.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum RendezvousError {
    /// Nobody said hello before the deadline.
    #[error("nobody connected in time")]
    Timeout,
    /// [`Aborter::abort`] was called first.
    #[error("the rendezvous was aborted")]
    Aborted,
    /// Somebody came and went without a word, as a process does that dies then.
    #[error("the peer broke off before its hello")]
    BrokenOff,
    /// Somebody came and said something else.
    #[error("the first message is not a hello: {0}")]
    Garbage(String),
    /// The waiting thread could not be started.
    #[error("cannot wait for a connection: {0}")]
    Io(#[from] io::Error),
}

/// A place where exactly one other process can say hello.
pub struct Rendezvous<H: Message> {
    server: IpcOneShotServer<H>,
    aborter: Aborter,
}

/// A [`Rendezvous`] at which somebody waits.
pub struct Listening<H: Message> {
    outcome: mpsc::Receiver<Result<H, RendezvousError>>,
    aborter: Aborter,
}

/// Ends the wait at a [`Rendezvous`] from another thread.
#[derive(Clone, Debug)]
pub struct Aborter {
    name: String,
    aborted: Arc<AtomicBool>,
}

impl<H: Message> Rendezvous<H> {
    /// Opens a rendezvous below the folder for temporary files.
    ///
    /// # Errors
    /// When `TMPDIR` is too long for a socket, is not UTF-8 or cannot be written.
    pub fn new() -> io::Result<Self> {
        let folder = temporary_folder()?;
        let (server, name) = IpcOneShotServer::new().map_err(|error| unusable(&folder, &error))?;
        Ok(Self { server, aborter: Aborter { name, aborted: Arc::default() } })
    }

    /// The name under which the other process finds this one.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.aborter.name
    }

    /// A handle that ends [`Rendezvous::accept`].
    #[must_use]
    pub fn aborter(&self) -> Aborter {
        self.aborter.clone()
    }

    /// Waits for the hello, for `limit` at most: [`Rendezvous::listen`] and [`Listening::accept`].
    ///
    /// # Errors
    /// See [`RendezvousError`].
    pub fn accept(self, limit: Duration) -> Result<H, RendezvousError> {
        self.listen()?.accept(limit)
    }

    /// Has a helper thread wait for the hello from now on.
    ///
    /// A peer that connects and then says nothing keeps that thread waiting until the peer is gone.
    ///
    /// # Errors
    /// When the thread cannot be started.
    pub fn listen(self) -> io::Result<Listening<H>> {
        let Self { server, aborter } = self;
        let aborted = Arc::clone(&aborter.aborted);
        let (done, outcome) = mpsc::channel();
        thread::Builder::new().name("rendezvous".into()).spawn(move || {
            // The waiting side may have left already: then there is nobody to tell.
            done.send(first_hello(server, &aborted)).unwrap_or_default();
        })?;
        Ok(Listening { outcome, aborter })
    }
}

impl<H: Message> Listening<H> {
    /// A handle that ends [`Listening::accept`].
    #[must_use]
    pub fn aborter(&self) -> Aborter {
        self.aborter.clone()
    }

    /// Waits for the hello, for `limit` at most, even if a peer has connected and says nothing.
    ///
    /// # Errors
    /// See [`RendezvousError`].
    pub fn accept(self, limit: Duration) -> Result<H, RendezvousError> {
        let Self { outcome, aborter } = self;
        outcome.recv_timeout(limit).unwrap_or_else(|_| {
            aborter.abort();
            // A hello that came at the last moment counts; otherwise this lets the socket's folder go first.
            match outcome.recv_timeout(FAREWELL) {
                Ok(Ok(hello)) => Ok(hello),
                _ => Err(RendezvousError::Timeout),
            }
        })
    }
}

fn first_hello<H: Message>(server: IpcOneShotServer<H>, aborted: &AtomicBool) -> Result<H, RendezvousError> {
    match server.accept() {
        Ok((_, hello)) => Ok(hello),
        Err(_) if aborted.load(Relaxed) => Err(RendezvousError::Aborted),
        Err(IpcError::Disconnected) => Err(RendezvousError::BrokenOff),
        Err(IpcError::Io(error)) => Err(error.into()),
        Err(error) => Err(RendezvousError::Garbage(error.to_string())),
    }
}

impl Aborter {
    /// Ends the wait, unless somebody was faster.
    pub fn abort(&self) {
        self.aborted.store(true, Relaxed);
        // A failure to connect means that the rendezvous is over, which is what was wanted.
        touch(&self.name).unwrap_or_default();
    }
}

/// Connects and hangs up. ipc-channel's own connect would leave its socket behind when nobody waits any more.
fn touch(name: &str) -> rustix::io::Result<()> {
    let socket = socket_with(
        AddressFamily::UNIX,
        SocketType::SEQPACKET,
        SocketFlags::CLOEXEC | SocketFlags::NONBLOCK,
        None,
    )?;
    connect(&socket, &SocketAddrUnix::new(name)?)
}

/// Says `hello` to the process that waits under `name`.
///
/// # Errors
/// When nobody waits there.
pub fn knock<H: Message>(name: &str, hello: H) -> io::Result<()> {
    visit(name)?.say(hello)
}

/// One who has come to a rendezvous and not said hello yet.
pub struct Visit<H: Message> {
    sender: IpcSender<H>,
}

/// Comes to the process that waits under `name`. Nobody needs the name after that, even if that process has died: its
/// socket is removed, which a process that is killed could not do itself.
///
/// # Errors
/// When nobody waits there.
pub fn visit<H: Message>(name: &str) -> io::Result<Visit<H>> {
    let connected = IpcSender::connect(name.to_owned());
    let is_over = |error: &io::Error| error.kind() == io::ErrorKind::ConnectionRefused;
    if connected.as_ref().err().is_none_or(is_over) {
        remove_socket(Path::new(name));
    }
    Ok(Visit { sender: connected? })
}

impl<H: Message> Visit<H> {
    /// Says hello.
    ///
    /// # Errors
    /// When the other side is gone.
    pub fn say(self, hello: H) -> io::Result<()> {
        self.sender.send(hello).map_err(into_io)
    }
}

/// Removes a socket with its folder. The one who waits does the same, and whoever is second finds nothing.
fn remove_socket(socket: &Path) {
    drop(fs::remove_file(socket));
    socket.parent().into_iter().for_each(|folder| drop(fs::remove_dir(folder)));
}

/// The end of a reply channel that goes along with a hello.
#[derive(Serialize, Deserialize)]
#[serde(bound = "")]
pub struct ReplySender<R> {
    sender: IpcSender<R>,
}

/// The end of a reply channel that stays with the one who knocks.
pub struct ReplyReceiver<R> {
    receiver: ipc::IpcReceiver<R>,
}

/// Makes a channel for one reply of any serialisable type, which may itself carry channel ends and shared memory.
///
/// # Errors
/// When the system is out of descriptors.
pub fn reply_channel<R: Message>() -> io::Result<(ReplySender<R>, ReplyReceiver<R>)> {
    first_use()?;
    let (sender, receiver) = ipc::channel()?;
    Ok((ReplySender { sender }, ReplyReceiver { receiver }))
}

impl<R: Message> ReplySender<R> {
    /// Sends the reply.
    ///
    /// # Errors
    /// When the other side is gone.
    pub fn send(self, reply: R) -> io::Result<()> {
        self.sender.send(reply).map_err(into_io)
    }
}

impl<R: Message> ReplyReceiver<R> {
    /// Waits for the reply, for `limit` at most.
    ///
    /// # Errors
    /// `TimedOut` when nothing came, otherwise when the other side is gone or answered with something else.
    pub fn recv_timeout(self, limit: Duration) -> io::Result<R> {
        let deadline = Instant::now() + limit;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.receiver.try_recv_timeout(left) {
                Ok(reply) => return Ok(reply),
                Err(ipc_channel::TryRecvError::Empty) => return Err(io::ErrorKind::TimedOut.into()),
                Err(ipc_channel::TryRecvError::IpcError(error)) => match into_io(error) {
                    error if error.kind() == io::ErrorKind::Interrupted => {}
                    error => return Err(error),
                },
            }
        }
    }
}

fn into_io(error: IpcError) -> io::Error {
    match error {
        IpcError::Io(error) => error,
        IpcError::Disconnected => io::Error::new(io::ErrorKind::ConnectionReset, "the other side is gone"),
        IpcError::SerializationError(error) => io::Error::new(io::ErrorKind::InvalidData, error),
    }
}

/// Checks that a rendezvous can be opened below the folder for temporary files.
///
/// # Errors
/// When `TMPDIR` is too long for a socket, is not UTF-8 or cannot be written; the message names it.
pub fn check_temporary_folder() -> io::Result<()> {
    let folder = temporary_folder()?;
    let is_folder = folder.metadata().map(|found| found.is_dir());
    // Not by making one and removing it, which takes a file system with a journal longer than all the rest of a start.
    let usable = is_folder.and_then(|is_folder| match is_folder {
        true => Ok(access(&folder, Access::WRITE_OK | Access::EXEC_OK)?),
        false => Err(io::ErrorKind::NotADirectory.into()),
    });
    usable.map_err(|error| unusable(&folder, &error))
}

/// The folder for temporary files, if a socket in it can have a name: ipc-channel panics otherwise.
fn temporary_folder() -> io::Result<PathBuf> {
    let folder = env::temp_dir();
    let problem = |text: String| io::Error::other(format!("TMPDIR ({}) {text}", folder.display()));
    let Some(path) = folder.to_str() else { return Err(problem("is not UTF-8".into())) };
    if path.len() > LONGEST_TMPDIR {
        let text = format!("is {} bytes long, a socket in it allows {LONGEST_TMPDIR}", path.len());
        return Err(problem(text));
    }
    Ok(folder)
}

fn unusable(folder: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("TMPDIR ({}) cannot be used: {error}", folder.display()))
}

impl<H: Message> fmt::Debug for Rendezvous<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rendezvous").field("name", &self.name()).finish_non_exhaustive()
    }
}

impl<H: Message> fmt::Debug for Listening<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Listening").field("aborter", &self.aborter).finish_non_exhaustive()
    }
}

impl<H: Message> fmt::Debug for Visit<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Visit").finish_non_exhaustive()
    }
}

impl<R> fmt::Debug for ReplySender<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReplySender").finish_non_exhaustive()
    }
}

impl<R> fmt::Debug for ReplyReceiver<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReplyReceiver").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(20);

    #[test]
    fn a_hello_arrives_and_is_answered() {
        let place = Rendezvous::<(String, ReplySender<u32>)>::new().expect("rendezvous");
        let name = place.name().to_owned();
        let (reply, answer) = reply_channel::<u32>().expect("reply channel");
        let caller = thread::spawn(move || knock(&name, ("me".to_owned(), reply)));
        let (who, reply) = place.accept(LONG).expect("hello");
        assert_eq!(who, "me");
        reply.send(7).expect("reply");
        assert_eq!(answer.recv_timeout(LONG).expect("answer"), 7);
        caller.join().expect("no panic").expect("knock");
    }

    #[test]
    fn a_hello_is_taken_before_anybody_asks_for_it() {
        let place = Rendezvous::<u8>::new().expect("rendezvous");
        let name = place.name().to_owned();
        let listening = place.listen().expect("a thread");
        knock(&name, 7u8).expect("somebody waits");
        listening.aborter().abort();
        assert_eq!(listening.accept(LONG).expect("hello"), 7);
    }

    #[test]
    fn a_visitor_removes_the_socket_even_of_one_who_has_died() {
        let place = Rendezvous::<u8>::new().expect("rendezvous");
        let name = place.name().to_owned();
        let visit = visit::<u8>(&name).expect("somebody waits");
        assert!(!Path::new(&name).exists());
        visit.say(7).expect("hello");
        assert_eq!(place.accept(LONG).expect("hello"), 7);
        // As the dead leave it: bound, and nobody listens.
        let folder = Path::new(&name).parent().expect("a folder");
        fs::create_dir(folder).expect("a folder");
        let socket = socket_with(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None);
        rustix::net::bind(socket.expect("a socket"), &SocketAddrUnix::new(&*name).expect("an address"))
            .expect("a bound socket");
        super::visit::<u8>(&name).expect_err("nobody waits there");
        assert!(!folder.exists());
    }

    #[test]
    fn the_wait_ends_at_the_deadline_and_the_folder_goes() {
        let place = Rendezvous::<u8>::new().expect("rendezvous");
        let name = place.name().to_owned();
        assert!(matches!(place.accept(Duration::from_millis(5)), Err(RendezvousError::Timeout)));
        assert!(!Path::new(&name).exists());
        knock(&name, 1u8).expect_err("nobody waits there");
    }

    #[test]
    fn the_wait_ends_when_it_is_aborted() {
        let place = Rendezvous::<u8>::new().expect("rendezvous");
        let aborter = place.aborter();
        let started = Instant::now();
        let stopper = thread::spawn(move || aborter.abort());
        assert!(matches!(place.accept(LONG), Err(RendezvousError::Aborted)));
        stopper.join().expect("no panic");
        assert!(started.elapsed() < LONG / 2);
    }

    #[test]
    fn a_peer_that_says_something_else_is_garbage() {
        let place = Rendezvous::<String>::new().expect("rendezvous");
        let sender = IpcSender::<[u8; 2]>::connect(place.name().to_owned()).expect("connect");
        sender.send([255, 255]).expect("send");
        assert!(matches!(place.accept(LONG), Err(RendezvousError::Garbage(_))));
    }

    #[test]
    fn a_peer_that_hangs_up_is_noticed() {
        let place = Rendezvous::<u8>::new().expect("rendezvous");
        touch(place.name()).expect("connect");
        assert!(matches!(place.accept(LONG), Err(RendezvousError::BrokenOff)));
    }

    #[test]
    fn a_silent_peer_does_not_hold_up_the_deadline() {
        let place = Rendezvous::<u8>::new().expect("rendezvous");
        let _silent = IpcSender::<u8>::connect(place.name().to_owned()).expect("connect");
        assert!(matches!(place.accept(Duration::from_millis(5)), Err(RendezvousError::Timeout)));
    }
}
