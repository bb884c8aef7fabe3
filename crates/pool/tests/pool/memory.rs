//! A worker that takes more memory than it may: it alone ends, and its death says why.
//!
//! The rules of control groups are tested beside their code, with a folder in the kernel's place.

use crate::support::{reset_own_peak, skip, with_crew};
use gristmill_pool::{CrewConfig, Death, MemoryLimitKind, OomSource, Stop};

const LIMIT: u64 = 64 << 20;

fn limited(config: &mut CrewConfig) {
    config.memory_limit = Some(LIMIT);
}

/// Lets a worker leak in one of the ways it knows, while another one works on.
fn leak(kind: &str, check: impl FnOnce(Death)) {
    with_crew("leaks", limited, |rig| {
        rig.start(0);
        rig.start(1);
        rig.send(0, &format!("leak {kind}"));
        check(rig.death());
        assert_eq!(rig.ask(1, "who"), "Worker-2 1 1 7 true");
    });
}

/// What holds the limit on this machine.
fn kind() -> MemoryLimitKind {
    let mut kind = None;
    with_crew("kind", limited, |rig| kind = Some(rig.crew.memory_limit_kind()));
    kind.expect("the test ran")
}

#[test]
fn a_leak_takes_down_its_own_process() {
    let aborts = kind() == MemoryLimitKind::ResourceLimit;
    leak("vec", |death| {
        assert!(death.ran_out_of_memory(), "{death}: {}", death.stderr_tail);
        let signal = if aborts { libc::SIGABRT } else { libc::SIGKILL };
        assert_eq!((death.cause.signal(), death.sent_by_us.clone()), (Some(signal), None));
        assert!(death.peak_rss.is_none_or(|peak| peak < 2 * LIMIT), "{:?}", death.peak_rss);
    });
}

#[test]
fn every_kind_of_private_memory_is_counted() {
    if kind() != MemoryLimitKind::ResourceLimit {
        return skip("the resource limit on memory: control groups are delegated here, and are used instead");
    }
    for kind in ["malloc", "mmap"] {
        with_crew("leaks", limited, |rig| {
            rig.start(0);
            let got = rig.ask(0, &format!("leak {kind}"));
            let got: u64 = got.strip_prefix("got ").and_then(|got| got.parse().ok()).expect("a number");
            // The rest is used for bookkeeping.
            assert!((60..=64).contains(&got), "{kind}: {got} MiB");
        });
    }
}

#[test]
fn a_worker_that_cannot_even_abort_is_killed() {
    if kind() != MemoryLimitKind::ResourceLimit {
        return skip("memory that runs out under a lock: the kernel kills before it does");
    }
    with_crew("exhausts", limited, |rig| {
        let death = rig.end_by("exhaust");
        assert_eq!(death.sent_by_us.as_deref(), Some("it ran out of memory and did not end by itself"));
        assert!(death.ran_out_of_memory(), "{death}: {}", death.stderr_tail);
    });
}

#[test]
fn a_control_group_holds_the_limit_where_it_is_delegated() {
    if kind() != MemoryLimitKind::Cgroup {
        return skip("a control group for each worker: none is delegated here");
    }
    for kind in ["vec", "malloc", "mmap"] {
        leak(kind, |death| {
            assert_eq!((death.cause.signal(), death.oom_source), (Some(9), Some(OomSource::WorkerGroup)));
            assert!(death.ran_out_of_memory() && death.oom_kills > Some(0), "{death:?}");
        });
    }
}

#[test]
fn what_is_never_touched_does_not_count() {
    with_crew("reserves", limited, |rig| {
        rig.start(0);
        assert_eq!(rig.ask(0, "reserve 100000"), "reserved, 80000");
        assert_eq!(rig.ask(0, "allocate 40000000"), "40000000");
    });
}

#[test]
fn without_a_limit_there_is_none() {
    with_crew(
        "free",
        |_| {},
        |rig| {
            assert_eq!(rig.crew.memory_limit_kind().to_string(), "none");
            rig.start(0);
            assert_eq!(rig.ask(0, "leak mmap"), "got 1024");
            rig.send(0, "raise 9");
            let death = rig.death();
            assert!(!death.ran_out_of_memory(), "{death:?}");
            assert!(death.oom_kills.is_some() && death.oom_source.is_some(), "{death:?}");
        },
    );
}

#[test]
fn the_peak_of_memory_is_that_of_the_worker() {
    reset_own_peak();
    with_crew(
        "memory",
        |_| {},
        |rig| {
            rig.start(0);
            assert_eq!(rig.ask(0, "allocate 300000000"), "300000000");
            rig.send(0, "raise 9");
            let peak = rig.death().peak_rss.expect("a peak");
            assert!((300_000_000..400_000_000).contains(&peak), "{peak}");
        },
    );
}

#[test]
fn a_peak_below_that_of_the_parent_is_known_if_we_kill() {
    let ballast = vec![1u8; 200_000_000];
    with_crew(
        "memory",
        |_| {},
        |rig| {
            rig.start(0);
            assert_eq!(rig.ask(0, "allocate 100000000"), "100000000");
            rig.crew.signal(0, Stop::Kill, "enough");
            let peak = rig.death().peak_rss.expect("a peak");
            assert!((100_000_000..150_000_000).contains(&peak), "{peak}");
        },
    );
    assert_eq!(ballast.last(), Some(&1));
}
