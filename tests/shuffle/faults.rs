//! Mappers that take whole blocks, and jobs that fail in the middle of one, in a partitioner or in a combiner.
//!
//! The record `boom` is what they fail at.

use std::fs::File;
use std::io::ErrorKind;
use std::marker::PhantomData;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use gristmill::bstr::{BStr, BString};
use gristmill::{
    App, DynJob, Emitter, Fixed, Group, Job, KeyRef, Lines, Mapper, NoArgs, Out, Result, Sum, Text, Values,
    map_lines, map_text, reduce_fn,
};
use serde::ser::SerializeTuple;
use serde::{Deserialize, Serialize, Serializer};

const BOOM: &[u8] = b"boom";

/// Bytes of a record of fixed length: as long as the trap.
const FIXED: usize = BOOM.len();

/// What the job `blocks` does with blocks.
#[derive(Debug, Clone, Args, Serialize, Deserialize)]
struct Blocks {
    /// The kind of record
    #[arg(long, value_enum, default_value_t)]
    of: Of,
    /// Take no block, and be given records
    #[arg(long)]
    decline: bool,
    /// Fail at a block that holds the trap
    #[arg(long)]
    fail_in_block: bool,
    /// Fail at the record that is the trap
    #[arg(long)]
    fail_in_record: bool,
    /// Write what is emitted without a shuffle
    #[arg(long)]
    map_only: bool,
}

#[derive(Debug, Clone, Copy, Default, ValueEnum, Serialize, Deserialize)]
enum Of {
    #[default]
    Lines,
    Text,
    Fixed,
}

/// Counts records, and says with counters how they came.
#[derive(Clone)]
struct Counting<I> {
    args: Blocks,
    input: PhantomData<I>,
}

type Records<'a> = Emitter<'a, BString, u64>;

impl<I> Counting<I> {
    fn block<'b>(
        &self,
        block: &[u8],
        mut records: impl Iterator<Item = &'b [u8]>,
        out: &mut Records<'_>,
    ) -> Result<bool> {
        out.count("blocks", 1);
        if self.args.decline {
            return Ok(false);
        }
        if self.args.fail_in_block && block.windows(BOOM.len()).any(|bytes| bytes == BOOM) {
            return Err("there is a trap in the block".into());
        }
        records.try_for_each(|record| out.emit(BStr::new(record), 1))?;
        Ok(true)
    }

    fn record(&self, record: &[u8], out: &mut Records<'_>) -> Result {
        out.count("records", 1);
        if self.args.fail_in_record && record == BOOM {
            return Err("the record is a trap".into());
        }
        out.emit(BStr::new(record), 1)
    }
}

fn lines(block: &[u8]) -> impl Iterator<Item = &[u8]> {
    block.split_inclusive(|&byte| byte == b'\n').map(|line| line.strip_suffix(b"\n").unwrap_or(line))
}

macro_rules! counting {
    ($input:ty, $record:ty, |$taken:ident| $bytes:expr, |$block:ident| $records:expr) => {
        impl Mapper for Counting<$input> {
            type Input = $input;
            type Key = BString;
            type Value = u64;

            fn map(&mut self, $taken: $record, out: &mut Records<'_>) -> Result {
                self.record($bytes, out)
            }

            fn map_block(&mut self, $block: &[u8], out: &mut Records<'_>) -> Result<bool> {
                self.block($block, $records, out)
            }
        }
    };
}

counting!(Lines, &[u8], |line| line, |block| lines(block));
counting!(Text, &str, |line| line.as_bytes(), |block| lines(block));
counting!(Fixed, &[u8], |record| record, |block| block.chunks_exact(FIXED));

fn blocks(args: Blocks) -> DynJob {
    fn job<I: gristmill::Input>(input: I, args: Blocks) -> DynJob
    where
        Counting<I>: Mapper<Input = I, Key = BString, Value = u64>,
    {
        let map_only = args.map_only;
        let job = Job::reading(input, Counting { args, input: PhantomData });
        if map_only { job.into_dyn() } else { job.fold_with(Sum).into_dyn() }
    }
    match args.of {
        Of::Lines => job(Lines, args),
        Of::Text => job(Text, args),
        Of::Fixed => job(Fixed::new(FIXED), args),
    }
}

/// Where the job `trap` fails.
#[derive(Debug, Clone, Args, Serialize, Deserialize)]
struct Trap {
    /// The part of the job that fails at the trap
    #[arg(long, value_enum)]
    at: At,
    /// Emit borrowed values, to a reducer unless a combiner is to fail
    #[arg(long)]
    borrowed: bool,
    /// Go on as long as this file is missing, and make it
    #[arg(long)]
    mark: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
enum At {
    Partitioner,
    Combiner,
    Sample,
}

impl Trap {
    fn spring(&self, at: At) -> Result {
        match &self.mark {
            _ if self.at != at => Ok(()),
            None => Err("the trap is sprung".into()),
            Some(mark) => match File::create_new(mark) {
                Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
                made => made.map_err(Into::into).and(Err("the trap is sprung".into())),
            },
        }
    }
}

fn trap(args: Trap) -> DynJob {
    let (borrowed, mapping, combining) = (args.borrowed, args.clone(), args.clone());
    let (sampled, combined) = (args.at == At::Sample, args.at == At::Combiner);
    let map = move |line: &[u8], out: &mut Emitter<'_, BString, BString>| {
        if line == BOOM {
            mapping.spring(At::Sample)?;
        }
        let key = BStr::new(line);
        if borrowed { out.emit_ref(key, key) } else { out.emit(key, line.into()) }
    };
    let by_trap = move |key: KeyRef<'_, BString>, _: u32| {
        if key.bytes() == BOOM {
            args.spring(At::Partitioner)?;
        }
        Ok(0)
    };
    let keep = move |acc: &mut BString, _: BString| {
        if &acc[..] == BOOM { combining.spring(At::Combiner) } else { Ok(()) }
    };
    let count =
        |key: Group<'_, BString>, mut values: Values<'_, BString>, out: &mut Out<'_, BString, u64>| {
            let mut count = 0;
            while values.next()?.is_some() {
                count += 1;
            }
            out.emit(BStr::new(key.bytes()), &count)
        };
    let job = Job::new(map_lines(map));
    match (sampled, borrowed && !combined) {
        (true, _) => job.reduce_with(reduce_fn(count)).partition_by_range().into_dyn(),
        (false, true) => job.reduce_with(reduce_fn(count)).partition_by(by_trap).into_dyn(),
        (false, false) => job.fold_with(keep).partition_by(by_trap).into_dyn(),
    }
}

/// Text that cannot be encoded to its end if it is the trap.
#[derive(Debug, Clone, Deserialize)]
struct Fuse(String);

impl Serialize for Fuse {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        let mut parts = serializer.serialize_tuple(2)?;
        parts.serialize_element(&self.0)?;
        assert!(self.0.as_bytes() != BOOM, "the trap is sprung");
        parts.serialize_element("behind")?;
        parts.end()
    }
}

/// Emits each line under one key, whatever becomes of that.
fn stubborn(_: NoArgs) -> DynJob {
    let map = |line: &str, out: &mut Emitter<'_, String, Fuse>| {
        let emitted = catch_unwind(AssertUnwindSafe(|| out.emit_ref("key", &Fuse(line.to_owned()))));
        emitted.unwrap_or(Ok(()))
    };
    let join = |key: Group<'_, String>, mut values: Values<'_, Fuse>, out: &mut Out<'_, String, String>| {
        let mut joined = String::new();
        while let Some((line, behind)) = values.next_as::<(&str, &str)>()? {
            joined += &format!("{line} {behind},");
        }
        out.emit(key.decode::<&str>()?, &joined)
    };
    Job::new(map_text(map)).reduce_with(reduce_fn(join)).into_dyn()
}

/// How the job `stubborn_fold` emits.
#[derive(Debug, Clone, Args, Serialize, Deserialize)]
struct StubbornFold {
    /// Emit borrowed values
    #[arg(long)]
    borrowed: bool,
    /// Panic in the partitioner, and not in the combiner
    #[arg(long)]
    in_partitioner: bool,
}

/// Emits each line under itself, whatever becomes of that, to a combiner or partitioner that panics.
fn stubborn_fold(args: StubbornFold) -> DynJob {
    let map = move |line: &[u8], out: &mut Emitter<'_, BString, BString>| {
        let key = BStr::new(line);
        let emitted = catch_unwind(AssertUnwindSafe(|| {
            if args.borrowed { out.emit_ref(key, key) } else { out.emit(key, line.into()) }
        }));
        emitted.unwrap_or(Ok(()))
    };
    let keep = move |acc: &mut BString, _: BString| {
        assert!(args.in_partitioner || &acc[..] != BOOM, "the trap is sprung");
        Ok(())
    };
    let place = move |key: KeyRef<'_, BString>, _: u32| {
        assert!(!args.in_partitioner || key.bytes() != BOOM, "the trap is sprung");
        Ok(0)
    };
    Job::new(map_lines(map)).fold_with(keep).partition_by(place).into_dyn()
}

/// What the list of inputs of the job `listed` is called.
#[derive(Debug, Clone, Args, Serialize, Deserialize)]
struct Listed {
    /// `x`, and the name's bytes as hexadecimal digits
    #[arg(long)]
    name_hex: String,
}

fn listed(args: Listed) -> DynJob {
    let digits = args.name_hex.trim_start_matches('x').as_bytes();
    let byte = |pair: &[u8]| u8::from_str_radix(str::from_utf8(pair).ok()?, 16).ok();
    let name: Vec<u8> = digits.chunks(2).filter_map(byte).collect();
    let map = |line: &[u8], out: &mut Emitter<'_, BString, u64>| out.emit(BStr::new(line), 1);
    Job::new(map_lines(map)).fold_with(Sum).list_inputs(String::from_utf8_lossy(&name)).into_dyn()
}

pub(crate) fn register(app: App) -> App {
    app.job("blocks", blocks)
        .job("trap", trap)
        .job("listed", listed)
        .job("stubborn", stubborn)
        .job("stubborn_fold", stubborn_fold)
}
