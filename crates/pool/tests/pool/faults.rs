//! Everything that can happen to a worker, and that the parent always hears the truth about it, in time.
//!
//! The end of the parent is the subject of `orphans`, an orderly end that of `shutdown`.

use std::time::{Duration, Instant};

use crate::support::{self, with_crew, with_listener};
use gristmill_log::{Level, Memory};
use gristmill_pool::{Cause, Program, SendError, Stop};
use gristmill_testkit::leaks::LeakCheck;
use gristmill_testkit::process_tree::ProcessTree;

fn signalled(signal: i32) -> Cause {
    Cause::Signalled { signal, core_dumped: false }
}

#[test]
fn a_worker_knows_who_it_is_and_answers() {
    with_crew(
        "echo",
        |config| config.welcome = vec![7; 100_000],
        |rig| {
            let pid = rig.start(1);
            assert_eq!(rig.ask(1, "who"), "Worker-2 1 1 100000 true");
            let page = rig.crew.page(1).expect("page");
            assert_eq!(page.words()[1].load(std::sync::atomic::Ordering::Relaxed), 77);
            let name = std::fs::read_to_string(format!("/proc/{pid}/comm")).expect("comm");
            assert_eq!(name, "Worker-2\n");
            assert_eq!(rig.ask(1, "stdin"), "0");
            rig.crew.close(1);
            let death = rig.death();
            assert_eq!(
                (death.cause.clone(), death.started, death.sent_by_us.clone()),
                (Cause::Exited(0), true, None)
            );
            assert_eq!(death.page.expect("page").words()[1].load(std::sync::atomic::Ordering::Relaxed), 77);
        },
    );
}

#[test]
fn a_slot_is_used_again_with_a_fresh_page() {
    with_crew(
        "again",
        |_| {},
        |rig| {
            assert_eq!(rig.end_by("exit 3").cause, Cause::Exited(3));
            rig.start(0);
            let page = rig.crew.page(0).expect("page");
            assert_eq!(page.words()[1].load(std::sync::atomic::Ordering::Relaxed), 0);
            assert_eq!(rig.ask(0, "who"), "Worker-1 0 2 7 true");
        },
    );
}

#[test]
fn every_way_to_end_has_its_cause() {
    for (order, cause, text) in [
        ("exit 0", Cause::Exited(0), "exited with status 0"),
        ("exit 5", Cause::Exited(5), "exited with status 5"),
        ("panic", Cause::Exited(101), "exited with status 101"),
        ("abort", signalled(6), "killed by SIGABRT"),
        ("raise 11", signalled(11), "killed by SIGSEGV"),
        ("raise 9", signalled(9), "killed by SIGKILL"),
    ] {
        with_crew(
            "ends",
            |_| {},
            |rig| {
                let death = rig.end_by(order);
                assert_eq!((&death.cause, death.cause.to_string().as_str()), (&cause, text));
                assert!(death.started && death.sent_by_us.is_none());
                assert_eq!(
                    death.stderr_tail.contains("told to panic"),
                    order == "panic",
                    "{}",
                    death.stderr_tail
                );
                assert!(rig.crew.page(0).is_none() && rig.crew.send(0, b"x").is_err());
            },
        );
    }
}

#[test]
fn the_end_comes_after_the_last_message() {
    with_crew(
        "flood",
        |_| {},
        |rig| {
            rig.start(0);
            rig.send(0, "flood-messages 3000");
            for n in 0..3000 {
                assert_eq!(rig.message(), n.to_string());
            }
            assert_eq!(rig.death().cause, Cause::Exited(0));
        },
    );
}

#[test]
fn the_end_waits_for_a_slow_listener() {
    with_crew(
        "slow",
        |_| {},
        |rig| {
            rig.start(0);
            let gate = rig.gate.lock().expect("gate");
            let family = ProcessTree::children_of(std::process::id());
            rig.send(0, "flood-messages 50");
            family.assert_gone_within(support::LIMIT);
            drop(gate);
            for n in 0..50 {
                assert_eq!(rig.message(), n.to_string());
            }
            assert_eq!(rig.death().cause, Cause::Exited(0));
        },
    );
}

#[test]
fn a_worker_whose_message_makes_no_sense_is_killed() {
    with_crew(
        "garbage",
        |_| {},
        |rig| {
            rig.start(0);
            let gate = rig.gate.lock().expect("gate");
            rig.send(0, "held up");
            rig.send(0, "big 1048576");
            rig.lose_spooled_message();
            drop(gate);
            assert_eq!(rig.message(), "held up");
            let death = rig.death();
            assert!(
                death.to_string().contains("broke the protocol: garbage received: spooled message"),
                "{death}"
            );
        },
    );
}

#[test]
fn bytes_that_are_no_frame_end_the_worker_and_nothing_else() {
    // The first is a frame whose remainder never comes; the second is longer than it says; the third cannot be split.
    for order in ["garbage 5", "garbage 5000", "false-frame 100"] {
        with_crew(
            "garbage",
            |_| {},
            |rig| {
                rig.start(0);
                rig.start(1);
                rig.send(0, order);
                // Not delivered if it is dead already.
                rig.crew.send(0, b"exit 0").unwrap_or_default();
                let death = rig.death();
                assert!(matches!(death.cause, Cause::Protocol(_)), "{order}: {death}");
                assert!(death.to_string().contains("garbage received: no frame"), "{order}: {death}");
                assert_eq!(rig.ask(1, "who is there"), "Worker-2 1 1 7 true");
            },
        );
    }
}

#[test]
fn a_worker_may_end_between_two_messages() {
    with_crew(
        "between",
        |_| {},
        |rig| {
            rig.start(0);
            rig.send(0, "first");
            rig.send(0, "exit 3");
            let refused = (0..100_000).find_map(|_| rig.crew.send(0, b"never read").err());
            assert!(matches!(refused, Some(SendError::Disconnected)), "{refused:?}");
            assert_eq!(rig.message(), "first ");
            assert_eq!(rig.death().cause, Cause::Exited(3));
        },
    );
}

#[test]
fn an_end_before_the_hello_is_reported_with_its_last_words() {
    with_crew(
        "exits-early",
        |_| {},
        |rig| {
            rig.crew.spawn(0);
            let death = rig.death();
            assert_eq!((death.cause, death.started), (Cause::Exited(7), false));
            assert_eq!(death.stderr_tail, "no spirit\n");
        },
    );
}

#[test]
fn a_worker_that_never_says_hello_is_killed_at_the_deadline() {
    let limit = Duration::from_millis(300);
    with_crew(
        "hangs-early",
        |config| config.start_deadline = limit,
        |rig| {
            let begun = Instant::now();
            rig.crew.spawn(0);
            let death = rig.death();
            assert_eq!((death.cause, death.started), (Cause::HandshakeTimeout(limit), false));
            assert!(begun.elapsed() < Duration::from_secs(5));
            assert_eq!(death.sent_by_us.as_deref(), Some("no hello before the deadline"));
        },
    );
}

#[test]
fn a_program_with_another_identity_is_refused() {
    with_crew(
        "impostor",
        |_| {},
        |rig| {
            rig.crew.spawn(0);
            let text = rig.death().cause.to_string();
            assert!(text.contains("the worker is somebody else 1 (protocol 1)"), "{text}");
            assert!(text.contains("its parent is impostor 1 (protocol 1)"), "{text}");
        },
    );
}

#[test]
fn a_program_that_does_not_exist_is_reported() {
    with_crew(
        "none",
        |config| config.program = Program::path("/no/such/program"),
        |rig| {
            rig.crew.spawn(0);
            let death = rig.death();
            assert_eq!(death.pid, None);
            assert!(death.cause.to_string().contains("/no/such/program"), "{}", death.cause);
        },
    );
}

#[test]
fn our_own_signals_are_remembered_with_their_reason() {
    for (stop, signal) in [(Stop::Terminate, 15), (Stop::Kill, 9)] {
        with_crew(
            "signals",
            |_| {},
            |rig| {
                rig.start(0);
                rig.send(0, "hang");
                rig.crew.signal(0, stop, "too slow");
                let death = rig.death();
                assert_eq!(death.cause, signalled(signal));
                assert_eq!(death.sent_by_us.as_deref(), Some("too slow"));
                assert!(death.to_string().ends_with("sent by us: too slow"), "{death}");
            },
        );
    }
}

#[test]
fn a_stopped_worker_can_be_ended() {
    for stop in [Stop::Terminate, Stop::Kill] {
        with_crew(
            "stopped",
            |_| {},
            |rig| {
                rig.start(0);
                rig.send(0, "raise 19");
                rig.send(0, "not read any more");
                rig.crew.signal(0, stop, "it stopped");
                assert_eq!(rig.death().sent_by_us.as_deref(), Some("it stopped"));
            },
        );
    }
}

#[test]
fn a_signal_before_the_start_calls_the_start_off() {
    with_crew(
        "early",
        |_| {},
        |rig| {
            rig.crew.spawn(0);
            rig.crew.signal(0, Stop::Kill, "changed my mind");
            let death = rig.final_death();
            assert!(death.to_string().contains("changed my mind"), "{death}");
        },
    );
}

#[test]
fn children_of_a_worker_end_with_it() {
    with_crew(
        "children",
        |_| {},
        |rig| {
            rig.start(0);
            let pid: u32 = rig.ask(0, "child sleep 1000").parse().expect("a process id");
            let child = ProcessTree::descendants_of(std::process::id());
            assert!(child.processes().iter().any(|process| process.pid == pid), "{child:?}");
            rig.send(0, "exit 0");
            assert_eq!(rig.death().cause, Cause::Exited(0));
            child.assert_gone_within(Duration::from_secs(2));
        },
    );
}

#[test]
fn a_grandchild_that_holds_the_pipes_does_not_delay_the_report() {
    with_crew(
        "holder",
        |_| {},
        |rig| {
            rig.start(0);
            rig.ask(0, "child setsid sleep 8.25");
            rig.send(0, "exit 4");
            let begun = Instant::now();
            assert_eq!(rig.death().cause, Cause::Exited(4));
            assert!(begun.elapsed() < Duration::from_secs(4), "{:?}", begun.elapsed());
        },
    );
    for process in ProcessTree::with_argument("8.25").processes() {
        let pid = rustix::process::Pid::from_raw(process.pid.cast_signed()).expect("a process id");
        rustix::process::kill_process(pid, rustix::process::Signal::KILL).expect("kill the sleeper");
    }
}

#[test]
fn records_and_output_arrive_at_the_listener() {
    let memory = Memory::new();
    let handler = memory.clone();
    with_listener(handler, |rig| {
        let pid = rig.start(0);
        assert_eq!(rig.ask(0, "log by the way"), "logged");
        assert_eq!(rig.ask(0, "print no newline"), "printed");
        rig.send(0, "exit 0");
        assert_eq!(rig.death().pid, Some(pid));
    });
    let records = memory.records();
    for (level, target, text) in [
        (Level::INFO, "stdout", "no newline"),
        (Level::WARN, "stderr", "no newline"),
        (Level::INFO, "pool_fixture::orders", "by the way"),
    ] {
        let found = records.iter().find(|record| record.target == target).expect(target);
        assert_eq!((found.level, found.message.as_str(), found.process.as_str()), (level, text, "Worker-1"));
    }
}

#[test]
fn a_crew_refuses_to_work_in_a_program_that_forgot_to_enter() {
    let check = LeakCheck::start();
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_pool-fixture")).arg("forgets").output();
    let text = String::from_utf8_lossy(&output.expect("run the fixture").stderr).into_owned();
    assert!(text.contains("worker::enter was not called"), "{text}");
    check.finish();
}
