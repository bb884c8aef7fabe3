//! Slots whose workers die again and again: they come back, at a bounded rate, and hold up nobody.
//!
//! How long each wait is, is tested beside the code that computes it.

use std::time::{Duration, Instant, SystemTime};

use crate::support::{Rig, with_crew};
use gristmill_pool::{Cause, CrewConfig, CrewEvent, RestartDelay, Stop};
use gristmill_testkit::text::SplitMix64;
use rustix::process::{Pid, Signal, kill_process};

const SLOTS: usize = 4;
const KILLS: usize = 50;

/// No test waits that long.
const FOREVER: Duration = Duration::from_secs(60);

fn patient(config: &mut CrewConfig) {
    config.restart_delay = RestartDelay { first: FOREVER, longest: FOREVER, proven: FOREVER };
}

#[test]
fn a_slot_whose_workers_die_young_waits_and_the_others_do_not() {
    let begun = Instant::now();
    with_crew("young", patient, |rig| {
        rig.end_by("raise 9");
        // The first restart is immediate.
        rig.end_by("raise 9");
        rig.crew.spawn(0);
        rig.start(1);
        assert_eq!(rig.ask(1, "who"), "Worker-2 1 1 7 true");
        assert!(rig.is_silent());
        rig.crew.signal(0, Stop::Kill, "changed my mind");
        let death = rig.death();
        assert_eq!(death.cause, Cause::CouldNotStart("changed my mind".into()));
        assert_eq!((death.pid, death.lifetime), (None, Duration::ZERO));
        rig.crew.spawn(0);
    });
    assert!(begun.elapsed() < FOREVER / 2, "the end does not wait for a start");
}

#[test]
fn waits_add_up() {
    let first = Duration::from_millis(30);
    with_crew(
        "exits-early",
        |config| config.restart_delay.first = first,
        |rig| {
            let begun = Instant::now();
            for _ in 0..5 {
                rig.crew.spawn(0);
                assert_eq!(rig.death().cause, Cause::Exited(7));
            }
            assert!(begun.elapsed() >= first * (1 + 2 + 4), "{:?}", begun.elapsed());
        },
    );
}

#[test]
fn good_workers_are_replaced_at_once() {
    let begun = Instant::now();
    with_crew("good", patient, |rig| {
        for _ in 0..4 {
            assert_eq!(rig.end_by("exit 0").cause, Cause::Exited(0));
        }
        for _ in 0..4 {
            rig.start(0);
            rig.crew.vouch(0);
            rig.send(0, "raise 9");
            assert_eq!(rig.death().cause.signal(), Some(9));
        }
    });
    assert!(begun.elapsed() < FOREVER / 2, "{:?}", begun.elapsed());
}

/// Kills workers at random moments and starts them again, until enough of them have died.
struct Reaper<'a> {
    rig: &'a Rig,
    random: SplitMix64,
    pids: [Option<u32>; SLOTS],
    deaths: usize,
}

impl Reaper<'_> {
    /// Answers each event with something that brings another one.
    fn step(&mut self) {
        match self.rig.event() {
            CrewEvent::Started { slot, pid, .. } => {
                self.pids[slot] = Some(pid);
                self.kill_or_ask(slot);
            }
            CrewEvent::Message { slot, .. } => {
                self.rig.crew.vouch(slot);
                self.kill_or_ask(slot);
            }
            CrewEvent::Ended { slot, .. } => {
                self.pids[slot] = None;
                self.deaths += 1;
                self.rig.crew.spawn(slot);
                if self.deaths < KILLS && self.random.below(5) == 0 {
                    self.rig.crew.signal(slot, Stop::Kill, "before its hello");
                }
            }
        }
    }

    fn kill_or_ask(&mut self, slot: usize) {
        let orders = ["who".to_owned(), "flood-messages 300".into(), format!("big {}", 1 << 20)];
        let order = &orders[self.random.below(orders.len() as u64) as usize];
        // One that floods exits by itself, which counts as a death here too. The send fails if it is dead already.
        self.rig.crew.send(slot, order.as_bytes()).unwrap_or_default();
        if self.random.below(3) == 0 {
            let pid = self.pids[slot].and_then(|pid| Pid::from_raw(pid.cast_signed()));
            kill_process(pid.expect("it has started"), Signal::KILL).unwrap_or_default();
        }
    }
}

#[test]
fn every_slot_comes_back_from_random_kills() {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("the clock is right");
    let seed = since.as_nanos() as u64;
    println!("seed {seed}");
    with_crew(
        "random",
        |_| {},
        |rig| {
            let random = SplitMix64::new(seed);
            let mut reaper = Reaper { rig, random, pids: [None; SLOTS], deaths: 0 };
            (0..SLOTS).for_each(|slot| rig.crew.spawn(slot));
            while reaper.deaths < KILLS {
                reaper.step();
            }
            (0..SLOTS).for_each(|slot| assert_comes_back(rig, slot));
        },
    );
}

/// The worker in `slot`, or the next one, answers. What others still say is passed over.
fn assert_comes_back(rig: &Rig, slot: usize) {
    rig.crew.send(slot, b"are you there").unwrap_or_default();
    loop {
        match rig.event() {
            CrewEvent::Message { slot: from, bytes, .. } if from == slot && bytes == b"are you there" => {
                return;
            }
            CrewEvent::Started { slot: started, .. } if started == slot => {
                rig.crew.send(slot, b"are you there").unwrap_or_default();
            }
            CrewEvent::Ended { slot, .. } => rig.crew.spawn(slot),
            _ => {}
        }
    }
}
