//! A crew whose workers serve a toolkit: their requests go to the broker, the rest to whoever made the fleet.
//!
//! It decides neither what runs nor whether a dead worker is replaced.

use std::sync::{Arc, OnceLock, Weak};

use gristmill_ipc::decode;

use crate::broker::{Abandonment, Broker, Caller, Client, Ticket};
use crate::config::{CrewConfig, CrewEvent, Grace, ShutdownReport, Stop};
use crate::crew::Crew;
use crate::death::Death;
use crate::handshake::Identity;
use crate::program::Program;
use crate::toolkit::Settings;
use crate::toolkit::error::StartError;
use crate::toolkit::serve::encoded;
use crate::toolkit::spool::SpoolFolder;
use crate::toolkit::unanswered;
use crate::toolkit::wire::{Chunk, FromWorker, Role, ToWorker, page};
use crate::worker;

/// What a fleet reports. As with a crew, `Ended` is the last for each incarnation.
#[derive(Debug)]
pub(crate) enum FleetEvent {
    Started { slot: usize, pid: u32 },
    Message { slot: usize, message: FromWorker },
    Ended { slot: usize, death: Death },
}

pub(crate) struct Fleet {
    crew: Arc<Crew>,
    number: u64,
    _spool: SpoolFolder,
}

impl Fleet {
    pub(crate) fn start(
        settings: &Settings,
        identity: &Identity,
        prefix: &str,
        role: &Role,
        sink: impl Fn(FleetEvent) + Send + Sync + 'static,
    ) -> Result<Self, StartError> {
        if worker::is_worker() {
            return Err(StartError::InWorker);
        }
        let spool = SpoolFolder::open()?;
        let mut config = CrewConfig::new(Program::this()?, identity.clone(), spool.path());
        config.name_prefix = prefix.into();
        config.welcome = encoded(role);
        config.page_words = page::WORDS;
        config.start_deadline = settings.start_deadline;
        config.log.clone_from(&settings.log);
        config.memory_limit = settings.memory_limit;
        config.restart_delay = settings.restart_delay;
        let number = Broker::here().register();
        let known: Arc<OnceLock<Weak<Crew>>> = Arc::default();
        let crew = Arc::new(Crew::new(config, switch(number, Arc::clone(&known), sink))?);
        known.get_or_init(|| Arc::downgrade(&crew));
        Broker::here().connect(number, &crew);
        Ok(Self { crew, number, _spool: spool })
    }

    pub(crate) fn spawn(&self, slot: usize, name: Option<&str>) {
        match name {
            Some(name) => self.crew.spawn_named(slot, name),
            None => self.crew.spawn(slot),
        }
    }

    /// A worker that is gone does not need it: its end will be reported.
    pub(crate) fn run(&self, slot: usize, chunk: Chunk) {
        match self.crew.send(slot, &encoded(&ToWorker::Run(chunk))) {
            Ok(()) | Err(gristmill_ipc::SendError::Disconnected) => {}
            Err(error) => self.crew.signal(slot, Stop::Kill, &format!("its orders cannot be sent: {error}")),
        }
    }

    /// Lets a worker end when it has done what it has. One that is not there yet need not begin.
    pub(crate) fn finish(&self, slot: usize) {
        if self.crew.send(slot, &encoded(&ToWorker::Finish)).is_err() {
            self.crew.close(slot);
        }
    }

    pub(crate) fn crew(&self) -> &Crew {
        &self.crew
    }

    pub(crate) fn shutdown(&self, grace: Grace) -> ShutdownReport {
        self.crew.shutdown(grace)
    }
}

impl Drop for Fleet {
    /// Here and not when the last reference to the crew goes, which can happen in one of its own threads.
    fn drop(&mut self) {
        let short = Grace { ask: SHORT, terminate: SHORT };
        self.crew.shutdown(short);
        Broker::here().disconnect(self.number);
    }
}

const SHORT: std::time::Duration = std::time::Duration::from_millis(200);

/// Takes a crew's events apart.
fn switch(
    number: u64,
    crew: Arc<OnceLock<Weak<Crew>>>,
    sink: impl Fn(FleetEvent) + Send + Sync + 'static,
) -> impl Fn(CrewEvent) + Send + Sync + 'static {
    move |event| match event {
        CrewEvent::Started { slot, pid, .. } => sink(FleetEvent::Started { slot, pid }),
        CrewEvent::Message { slot, incarnation, bytes } => {
            let client = Client::Worker { crew: number, slot, incarnation };
            match decode(&bytes) {
                Ok(message) => route(client, slot, message, &sink),
                Err(error) => {
                    if let Some(crew) = crew.get().and_then(Weak::upgrade) {
                        crew.signal(slot, Stop::Kill, &format!("its message is not understood: {error}"));
                    }
                }
            }
        }
        CrewEvent::Ended { slot, incarnation, death } => {
            let end = abandonment(&death);
            Broker::here().ended(Client::Worker { crew: number, slot, incarnation }, &end);
            sink(FleetEvent::Ended { slot, death });
        }
    }
}

fn route(client: Client, slot: usize, message: FromWorker, sink: &impl Fn(FleetEvent)) {
    let ticket = |number, thread| Ticket { caller: Caller { client, thread }, number };
    match message {
        FromWorker::Request { number, thread, object, op } => {
            Broker::here().request(ticket(number, thread), object, op);
        }
        FromWorker::Cancel { number, thread, object } => {
            Broker::here().cancel(ticket(number, thread), object);
        }
        message => sink(FleetEvent::Message { slot, message }),
    }
}

fn abandonment(death: &Death) -> Abandonment {
    let unanswered = death.page.as_ref().map(unanswered::read).unwrap_or_default();
    let (worker, cause) = (death.name.clone(), death.cause.to_string());
    Abandonment { worker, cause, clean: death.cause.is_clean(), unanswered }
}
