//! Tests of finding files: folders, patterns, links, special files and names.

use std::ffi::OsStr;
use std::io::Write;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::UnixListener;

use rustix::fs::{CWD, FileType, Mode, mknodat};
use tempfile::TempDir;

use super::*;

/// A folder with these files, each holding its own name.
fn tree(names: &[&str]) -> TempDir {
    let root = tempfile::tempdir().unwrap();
    for name in names {
        let path = root.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::File::create(&path).unwrap().write_all(name.as_bytes()).unwrap();
    }
    root
}

fn fifo(path: &Path) {
    mknodat(CWD, path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
}

fn find_in(root: &TempDir, names: &[&str]) -> Result<Vec<InputFile>, InputError> {
    let given: Vec<Given> = names.iter().map(|name| Given::Path(root.path().join(name))).collect();
    find(&given)
}

/// What is found, as names below `root`.
#[track_caller]
fn names(root: &TempDir, inputs: &[&str]) -> Vec<String> {
    let files = find_in(root, inputs).unwrap();
    let name = |file: &InputFile| file.path.strip_prefix(root.path()).unwrap().display().to_string();
    files.iter().map(name).collect()
}

#[track_caller]
fn assert_fails(root: &TempDir, input: &str, expected: &str) {
    let message = find_in(root, &[input]).unwrap_err().to_string();
    assert!(message.contains(expected) && message.contains(input), "{message}");
}

#[test]
fn a_folder_means_every_regular_file_below_it_in_byte_order() {
    let root = tree(&["d/b", "d/a/z", "d/a-", "d/a.x", "d/.hidden/.h", "other"]);
    symlink(root.path().join("other"), root.path().join("d/link")).unwrap();
    symlink(root.path(), root.path().join("d/loop")).unwrap();
    fifo(&root.path().join("d/pipe"));
    let _listener = UnixListener::bind(root.path().join("d/socket")).unwrap();
    assert_eq!(names(&root, &["d"]), ["d/.hidden/.h", "d/a-", "d/a.x", "d/a/z", "d/b"]);
}

#[test]
fn files_stand_as_named_and_twice_when_named_twice() {
    let root = tree(&["b", "a", "d/c"]);
    assert_eq!(names(&root, &["b", "d", "a", "b"]), ["b", "d/c", "a", "b"]);
}

#[test]
fn a_link_that_is_named_is_followed() {
    let root = tree(&["d/file"]);
    symlink("d/file", root.path().join("to-file")).unwrap();
    symlink("d", root.path().join("to-folder")).unwrap();
    assert_eq!(names(&root, &["to-file", "to-folder"]), ["to-file", "to-folder/file"]);
    assert_eq!(names(&root, &["to-f*"]), ["to-file", "to-folder/file"]);
}

#[test]
fn patterns_match_hidden_files_and_folders() {
    let root = tree(&["a.txt", ".b.txt", "c.log", "d.txt/x", "d.txt/y/z", "e/f/g.txt", "e/h.txt"]);
    assert_eq!(names(&root, &["*.txt"]), [".b.txt", "a.txt", "d.txt/x", "d.txt/y/z"]);
    assert_eq!(
        names(&root, &["**/*.txt"]),
        [".b.txt", "a.txt", "d.txt/x", "d.txt/y/z", "e/f/g.txt", "e/h.txt"]
    );
    assert_eq!(names(&root, &["e/*/*.txt"]), ["e/f/g.txt"]);
    assert_eq!(names(&root, &["?.{log,txt}"]), ["a.txt", "c.log", "d.txt/x", "d.txt/y/z"]);
    assert_eq!(names(&root, &["{e/f,d.txt}/[a-x]*"]), ["d.txt/x", "e/f/g.txt"]);
    assert_eq!(names(&root, &["[ad]*/"]), ["d.txt/x", "d.txt/y/z"]);
}

#[test]
fn a_file_whose_name_looks_like_a_pattern_is_that_file() {
    let root = tree(&["[ab].txt", "a.txt", "x*y", "xzy"]);
    assert_eq!(names(&root, &["[ab].txt", "x*y"]), ["[ab].txt", "x*y"]);
    assert_eq!(names(&root, &[r"x\*[y]"]), ["x*y"]);
}

#[test]
fn relative_patterns_give_relative_paths() {
    let files = find(&[Given::Path("s*c/lib.r?".into()), Given::Path("./s*c/lib.r?".into())]).unwrap();
    let paths: Vec<_> = files.iter().map(|file| file.path.as_os_str()).collect();
    assert_eq!(paths, [OsStr::new("src/lib.rs"), OsStr::new("./src/lib.rs")]);
}

#[test]
fn what_is_missing_empty_or_special_is_an_error_that_names_it() {
    let root = tree(&["file"]);
    fs::create_dir_all(root.path().join("void/in")).unwrap();
    fifo(&root.path().join("void/pipe"));
    symlink("nowhere", root.path().join("dangling")).unwrap();
    symlink("round", root.path().join("round")).unwrap();
    assert_fails(&root, "absent", "no such file or folder");
    assert_fails(&root, "dangling", "no such file or folder");
    let error = find_in(&root, &["dang*"]).unwrap_err().to_string();
    assert!(error.ends_with("/dangling: no such file or folder"), "{error}");
    assert_fails(&root, "round", "symbolic links");
    assert_fails(&root, "void", "no file in it");
    assert_fails(&root, "*.txt", "no file matches");
    assert_fails(&root, "absent/*.txt", "no file matches");
    assert_fails(&root, "void/*", "no file matches");
    assert_fails(&root, "{a", "error parsing glob");
    assert_fails(&root, "void/pipe", "is a named pipe");
    assert!(
        find(&[Given::Path("/dev/null".into())]).unwrap_err().to_string().contains("/dev/null: is a device")
    );
}

#[test]
fn what_may_not_be_read_is_an_error_before_the_job_starts() {
    if rustix::process::geteuid().is_root() {
        return; // Nothing is forbidden to root.
    }
    let root = tree(&["d/file", "shut/file"]);
    fs::set_permissions(root.path().join("d/file"), fs::Permissions::from_mode(0o000)).unwrap();
    fs::set_permissions(root.path().join("shut"), fs::Permissions::from_mode(0o000)).unwrap();
    assert_fails(&root, "d/file", "denied");
    assert_fails(&root, "d", "denied");
    assert_fails(&root, "shut", "denied");
    fs::set_permissions(root.path().join("shut"), fs::Permissions::from_mode(0o700)).unwrap();
}

#[test]
fn sizes_times_and_any_path_survive_a_message() {
    let root = tree(&[]);
    let path = root.path().join(OsStr::from_bytes(b"not-\xff-utf8"));
    fs::write(&path, "four").unwrap();
    let files = find(&[Given::Path(path.clone()), Given::Stdin(path.clone())]).unwrap();
    assert_eq!((files[0].size, files[0].user_path()), (4, Some(path.as_path())));
    assert_eq!((files[1].to_string().as_str(), files[1].user_path()), ("standard input", None));
    let bytes = gristmill_ipc::codec::encode(&files).unwrap();
    assert_eq!(gristmill_ipc::codec::decode::<Vec<InputFile>>(&bytes).unwrap(), files);
}

#[test]
fn many_files_are_found_in_order_by_several_threads() {
    let root = tempfile::tempdir().unwrap();
    for file in 0..PARALLEL + 10 {
        fs::write(root.path().join(format!("{file:06}")), "x").unwrap();
    }
    let files = find(&[Given::Path(root.path().into())]).unwrap();
    assert_eq!(files.len(), PARALLEL + 10);
    assert!(files.is_sorted_by_key(|file| file.path.clone()));
}

#[test]
fn many_folders_are_listed_in_order_by_several_threads() {
    let mut expected: Vec<String> = (0..PARALLEL_FOLDERS + 5)
        .flat_map(|folder| [format!("t/{folder}/{}", "deep/".repeat(folder)), format!("t/{folder}-")])
        .flat_map(|prefix| ["a", "b"].map(|name| format!("{prefix}{name}")))
        .collect();
    let root = tree(&expected.iter().map(String::as_str).collect::<Vec<_>>());
    expected.sort_unstable();
    assert_eq!(names(&root, &["t"]), expected);
}
