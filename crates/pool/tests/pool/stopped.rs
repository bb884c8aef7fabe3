//! A worker that is stopped, by SIGSTOP, while it speaks or is spoken to: nobody but it stands still.
//!
//! Workers that hang by themselves, and the end of a stopped family, are looked at elsewhere.

use std::thread;

use crate::support::{Rig, until, with_crew};
use gristmill_pool::{SendError, Stop};
use gristmill_testkit::process_tree::ProcessTree;
use rustix::process::{Pid, Signal, kill_process};

const LONG: u64 = 100 << 20;

fn stop(pid: u32) {
    let raw = Pid::from_raw(pid.cast_signed()).expect("a process id");
    kill_process(raw, Signal::STOP).expect("stop");
    await_stop(pid);
}

fn await_stop(pid: u32) {
    until("it does not stop", || {
        let children = ProcessTree::children_of(std::process::id());
        children.processes().iter().any(|child| child.pid == pid && child.state == 'T').then_some(())
    });
}

fn assert_others_work_and_it_can_be_killed(rig: &Rig) {
    assert_eq!(rig.ask(1, "who"), "Worker-2 1 1 7 true");
    rig.crew.signal(0, Stop::Kill, "it stopped");
    let death = rig.final_death();
    assert_eq!((death.name.as_str(), death.sent_by_us.as_deref()), ("Worker-1", Some("it stopped")));
    assert_eq!(rig.ask(1, "len"), "3");
}

#[test]
fn in_the_middle_of_a_long_message() {
    with_crew(
        "stopped",
        |_| {},
        |rig| {
            let pid = rig.start(0);
            rig.start(1);
            rig.send(0, &format!("stop-in-big {LONG}"));
            await_stop(pid);
            assert_eq!(rig.spooled_message().metadata().expect("size").len(), LONG / 2);
            assert_others_work_and_it_can_be_killed(rig);
        },
    );
}

#[test]
fn while_it_waits_for_room_for_a_short_message() {
    with_crew(
        "stopped",
        |_| {},
        |rig| {
            let pid = rig.start(0);
            rig.start(1);
            let gate = rig.gate.lock().expect("gate");
            rig.send(0, "flood-messages 100000");
            until("it does not wait", || {
                let wait = std::fs::read_to_string(format!("/proc/{pid}/syscall")).unwrap_or_default();
                let sending = [libc::SYS_sendmsg, libc::SYS_sendto].map(|number| number.to_string());
                sending.contains(&wait.split(' ').next().unwrap_or_default().to_owned()).then_some(())
            });
            stop(pid);
            assert_eq!(rig.ask(1, "who"), "Worker-2 1 1 7 true");
            rig.crew.signal(0, Stop::Kill, "it stopped");
            drop(gate);
            let death = rig.final_death();
            assert_eq!(death.sent_by_us.as_deref(), Some("it stopped"));
        },
    );
}

#[test]
fn while_it_should_read() {
    with_crew(
        "stopped",
        |_| {},
        |rig| {
            let pid = rig.start(0);
            rig.start(1);
            stop(pid);
            let long = "y".repeat(1 << 20);
            rig.send(0, &long);
            thread::scope(|scope| {
                let crew = &rig.crew;
                let flood = scope.spawn(|| (0..100_000).find_map(|_| crew.send(0, b"not read").err()));
                assert_others_work_and_it_can_be_killed(rig);
                let refused = flood.join().expect("no panic");
                assert!(matches!(refused, Some(SendError::Disconnected)), "{refused:?}");
            });
        },
    );
}
