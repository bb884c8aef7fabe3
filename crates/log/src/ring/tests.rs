//! Tests of the ring against a queue that is plainly right, and against memory full of nonsense.
//!
//! Two processes at once are tested with real ones, in the integration tests.

use std::collections::VecDeque;

use proptest::prelude::*;

use super::*;

fn pair(bytes: usize) -> (RingProducer, RingConsumer) {
    let ring = Ring::new(bytes).expect("shared memory");
    (RingProducer::new(ring.clone(), u64::MAX), RingConsumer::new(ring))
}

#[derive(Clone, Debug)]
enum Step {
    Push(usize),
    Pop,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![3 => (0usize..400).prop_map(Step::Push), 2 => Just(Step::Pop)];
    prop::collection::vec(step, 1..300)
}

/// The bytes of the `n`th frame: every byte tells where it belongs.
fn payload(n: usize, len: usize) -> Vec<u8> {
    (0..len).map(|at| (n * 31 + at) as u8).collect()
}

proptest! {
    #[test]
    fn a_ring_is_a_bounded_queue(steps in steps()) {
        let (mut producer, mut consumer) = pair(1024);
        let mut model: VecDeque<Vec<u8>> = VecDeque::new();
        let mut used = 0;
        let mut out = Vec::new();
        for (n, step) in steps.into_iter().enumerate() {
            match step {
                Step::Push(len) => {
                    let bytes = payload(n, len);
                    let expected = match () {
                        () if len > producer.limit() => Pushed::Never,
                        () if used + frame_words(len) > 128 => Pushed::Full,
                        () => Pushed::Yes,
                    };
                    prop_assert_eq!(producer.push(&bytes), expected);
                    if expected == Pushed::Yes {
                        used += frame_words(len);
                        model.push_back(bytes);
                    }
                }
                Step::Pop => {
                    let expected = model.pop_front();
                    prop_assert_eq!(consumer.pop(&mut out), Ok(expected.is_some()));
                    if let Some(bytes) = expected {
                        prop_assert_eq!(&out, &bytes);
                        used -= frame_words(bytes.len());
                    }
                }
            }
            prop_assert_eq!(consumer.ring().left(), model.len() as u64);
        }
    }

    #[test]
    fn garbage_is_an_error_or_frames_and_ends(
        words in prop::collection::vec(prop_oneof![any::<u64>(), 0u64..300], HEADER + MIN_WORDS),
        head in prop_oneof![any::<u64>(), 0u64..200],
    ) {
        let (_, mut consumer) = pair(1024);
        for (word, garbage) in consumer.ring().memory.words().iter().zip(&words) {
            word.store(*garbage, Relaxed);
        }
        consumer.ring().word(HEAD).store(head, Relaxed);
        let mut out = Vec::new();
        let mut frames = 0;
        while let Ok(true) = consumer.pop(&mut out) {
            frames += 1;
            prop_assert!(frames <= MIN_WORDS, "every frame takes a word at least");
        }
        prop_assert!(consumer.ring().left() <= MIN_WORDS as u64);
    }
}

#[test]
fn at_most_one_bell_is_under_way() {
    let (mut producer, consumer) = pair(1024);
    assert_eq!(producer.push(b"a"), Pushed::Yes, "awake: no bell is needed");
    consumer.fall_asleep();
    assert_eq!(producer.push(b"b"), Pushed::RingBell);
    consumer.wake_up();
    consumer.fall_asleep();
    assert_eq!(producer.push(b"c"), Pushed::Yes, "the first bell has not been received");
    consumer.bell_received();
    consumer.fall_asleep();
    assert_eq!(producer.push(b"d"), Pushed::RingBell);
}

#[test]
fn a_ring_has_one_producer() {
    let ring = Ring::new(1024).expect("shared memory");
    assert_eq!(ring.claim(7), Ok(()));
    assert_eq!(ring.claim(8), Err(7));
    assert_eq!(ring.owner(), 7);
}

#[test]
fn a_closed_ring_takes_nothing() {
    let (mut producer, mut consumer) = pair(1024);
    assert_eq!(producer.push(b"before"), Pushed::Yes);
    consumer.close();
    assert_eq!(producer.push(b"after"), Pushed::Never);
    let mut out = Vec::new();
    assert_eq!(consumer.pop(&mut out), Ok(true), "what was queued is still delivered");
    assert_eq!(consumer.pop(&mut out), Ok(false));
}

#[test]
fn a_reader_at_work_sees_whole_frames_only() {
    const FRAMES: usize = 200_000;
    let (mut producer, mut consumer) = pair(1024);
    let writer = std::thread::spawn(move || {
        for n in 0..FRAMES {
            let bytes = payload(n, n % 200);
            while producer.push(&bytes) == Pushed::Full {
                std::thread::yield_now();
            }
        }
    });
    let mut out = Vec::new();
    for n in 0..FRAMES {
        while !consumer.pop(&mut out).unwrap_or_else(|error| panic!("frame {n}: {error}")) {
            std::thread::yield_now();
        }
        assert_eq!(out, payload(n, n % 200), "frame {n}");
    }
    writer.join().expect("no panic");
}

#[test]
fn a_ring_may_be_bounded_by_count() {
    let ring = Ring::new(1024).expect("shared memory");
    let mut producer = RingProducer::new(ring.clone(), 2);
    let mut consumer = RingConsumer::new(ring);
    assert_eq!(
        [&b"a"[..], b"b", b"c"].map(|frame| producer.push(frame)),
        [Pushed::Yes, Pushed::Yes, Pushed::Full]
    );
    assert_eq!(consumer.pop(&mut Vec::new()), Ok(true));
    assert_eq!(producer.push(b"c"), Pushed::Yes);
}
