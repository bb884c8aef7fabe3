//! Values that processes share: a dictionary, a list, a namespace.
//!
//! All of it can be an argument of a worker function. The rule of updates is the same for all three:
//!
//! * The values are in the parent. What a process gets is a copy; changing the copy changes nothing.
//! * Each call is one step: nobody sees half of it, and nobody comes between.
//! * `update` reads, computes in the calling process and writes only if nobody has written meanwhile; otherwise it
//!   computes again. So the closure can run more than once, and no update is ever lost.

mod dict;
mod list;
mod namespace;

use gristmill_ipc::{decode, encode};
use serde::Serialize;
use serde::de::DeserializeOwned;

pub use dict::Dict;
pub use list::List;
pub use namespace::Namespace;

use crate::broker::{CallError, Handle, Op, Reply, TableOp};
use crate::toolkit::wire::Bytes;

fn bytes<T: Serialize + ?Sized>(value: &T) -> Result<Bytes, CallError> {
    Ok(Bytes::from(encode(value)?))
}

fn value<T: DeserializeOwned>(reply: Reply) -> Result<Option<T>, CallError> {
    match reply {
        Reply::Value(found) => found.map(|bytes| Ok(decode(&bytes)?)).transpose(),
        other => Err(other.unexpected()),
    }
}

fn count(reply: &Reply) -> Result<usize, CallError> {
    match reply {
        Reply::Count(count) => Ok(usize::try_from(*count).unwrap_or(usize::MAX)),
        other => Err(other.unexpected()),
    }
}

/// The update of one entry of a table: computed again until nobody came between.
fn update_entry<T: Serialize + DeserializeOwned>(
    handle: &Handle,
    key: &Bytes,
    mut change: impl FnMut(Option<T>) -> Option<T>,
) -> Result<Option<T>, CallError> {
    let mut found = match handle.ask(Op::Table(TableOp::Get(key.clone())))? {
        Reply::Value(found) => found,
        other => return Err(other.unexpected()),
    };
    loop {
        let before = found.as_ref().map(|bytes| decode(bytes)).transpose()?;
        let next = change(before);
        let encoded = next.as_ref().map(bytes).transpose()?;
        match handle.ask(Op::Table(TableOp::Swap(key.clone(), found, encoded)))? {
            Reply::Done => return Ok(next),
            Reply::Conflict(newer) => found = newer,
            other => return Err(other.unexpected()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dictionary_keeps_its_order_and_gives_copies() {
        let dict = Dict::new().expect("a dictionary");
        for (key, value) in [("b", vec![1]), ("a", vec![2]), ("b", vec![3])] {
            dict.insert(&key.to_owned(), &value).expect("insert");
        }
        let mut copy = dict.get(&"b".to_owned()).expect("get").expect("there");
        copy.push(4);
        let entries = dict.entries().expect("entries");
        assert_eq!(entries, [("b".to_owned(), vec![3]), ("a".to_owned(), vec![2])]);
        assert_eq!(dict.remove(&"b".to_owned()).expect("remove"), Some(vec![3]));
        assert_eq!((dict.len().expect("len"), dict.contains(&"b".to_owned()).expect("look")), (1, false));
    }

    #[test]
    fn no_update_is_lost() {
        let dict: Dict<u8, u64> = Dict::new().expect("a dictionary");
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..50 {
                        dict.update(&7, |count| Some(count.unwrap_or(0) + 1)).expect("update");
                    }
                });
            }
        });
        assert_eq!(dict.get(&7).expect("get"), Some(200));
        assert_eq!(dict.update(&7, |_| None).expect("update"), None);
        assert!(dict.is_empty().expect("len"));
    }

    #[test]
    fn a_list_is_a_list() {
        let list = List::new().expect("a list");
        (1..=4).for_each(|n| list.push(&n).expect("push"));
        assert_eq!(list.update(1, |n| n * 10).expect("update"), Some(20));
        assert!(list.remove(&3).expect("remove"));
        list.insert(0, &0).expect("insert");
        assert_eq!(list.set(9, &9).expect("set"), None);
        assert_eq!((list.pop().expect("pop"), list.get(2).expect("get")), (Some(4), Some(20)));
        assert_eq!(list.to_vec().expect("copy"), [0, 1, 20]);
    }

    #[test]
    fn a_namespace_holds_values_of_any_type() {
        let names = Namespace::new().expect("a namespace");
        names.set("title", "mill").expect("set");
        names.set("count", &3u32).expect("set");
        assert_eq!(names.get::<String>("title").expect("get").as_deref(), Some("mill"));
        assert_eq!(names.update("count", |n: Option<u32>| n.map(|n| n + 1)).expect("update"), Some(4));
        assert_eq!(names.names().expect("names"), ["title", "count"]);
        assert!(names.get::<u64>("nothing").expect("get").is_none());
    }
}
