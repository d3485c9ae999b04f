//! Open files.

use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io::{self, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_with::{DeserializeAs, SerializeAs};

use super::{Cross, handle};

/// How to open a file again. Nothing is created and nothing truncated, whatever the file was opened with.
#[derive(Serialize, Deserialize)]
struct Recipe {
    path: OsString,
    read: bool,
    write: bool,
    append: bool,
    position: u64,
}

impl SerializeAs<File> for Cross {
    fn serialize_as<S: Serializer>(value: &File, serializer: S) -> Result<S::Ok, S::Error> {
        handle::write(value, || describe(value), serializer)
    }
}

impl<'de> DeserializeAs<'de, File> for Cross {
    fn deserialize_as<D: Deserializer<'de>>(deserializer: D) -> Result<File, D::Error> {
        handle::read(deserializer, open)
    }
}

/// The system knows of every open file how it was opened; asking changes nothing.
#[cfg(target_os = "linux")]
fn describe(file: &File) -> io::Result<Recipe> {
    use std::fs;
    use std::os::fd::AsRawFd;
    use std::os::unix::fs::{FileTypeExt, MetadataExt};

    let gone =
        || io::Error::other("this file has no path any more, so plain bytes cannot say how to open it again");
    let number = file.as_raw_fd();
    if file.metadata()?.file_type().is_fifo() {
        return Err(io::Error::other(WAITS));
    }
    let path = fs::read_link(format!("/proc/self/fd/{number}"))?;
    let (there, here) = (fs::metadata(&path).map_err(|_| gone())?, file.metadata()?);
    if (there.dev(), there.ino()) != (here.dev(), here.ino()) {
        return Err(gone());
    }
    how(file, path.into())
}

/// A recipe for this path that opens as the file is open.
#[cfg(target_os = "linux")]
fn how(file: &File, path: OsString) -> io::Result<Recipe> {
    use std::os::fd::AsRawFd;

    let about = std::fs::read_to_string(format!("/proc/self/fdinfo/{}", file.as_raw_fd()))?;
    let field = |name: &str, radix| {
        let line = about.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        line.and_then(|text| u64::from_str_radix(text.trim(), radix).ok())
            .ok_or_else(|| io::Error::other("the system does not say how this file is open"))
    };
    let (position, flags) = (field("pos", 10)?, field("flags", 8)?);
    let (write_only, both, append) = (0o1, 0o2, 0o2000);
    let read = flags & write_only == 0;
    let write = flags & (write_only | both) != 0;
    Ok(Recipe { path, read, write, append: flags & append != 0, position })
}

/// The same file, opened once more in the same way: with a position of its own.
#[cfg(target_os = "linux")]
pub(super) fn once_more(file: &File) -> io::Result<File> {
    use std::os::fd::AsRawFd;

    open(how(file, format!("/proc/self/fd/{}", file.as_raw_fd()).into())?)
}

/// Other systems know it as well, but the standard library does not ask them.
#[cfg(not(target_os = "linux"))]
fn describe(_file: &File) -> io::Result<Recipe> {
    Err(io::Error::new(
        io::ErrorKind::Unsupported,
        "on this system plain bytes cannot say how a file is to be opened again; \
         send the value through a channel, or use `cucumber::encode`",
    ))
}

const WAITS: &str = "a named pipe cannot be opened again without waiting for whoever has its other end; \
                     send the value through a channel, or use `cucumber::encode`";

#[cfg(unix)]
fn waits(path: &Path) -> bool {
    use std::os::unix::fs::FileTypeExt;

    std::fs::metadata(path).is_ok_and(|about| about.file_type().is_fifo())
}

#[cfg(not(unix))]
fn waits(_: &Path) -> bool {
    false
}

fn open(recipe: Recipe) -> io::Result<File> {
    let path = PathBuf::from(recipe.path);
    if waits(&path) {
        return Err(io::Error::other(format!("cannot open `{}` again: {WAITS}", path.display())));
    }
    let mut options = OpenOptions::new();
    options.read(recipe.read).write(recipe.write && !recipe.append).append(recipe.append);
    let opened = options.open(&path);
    let mut file = opened.map_err(|error| {
        io::Error::new(error.kind(), format!("cannot open `{}` again: {error}", path.display()))
    })?;
    file.seek(SeekFrom::Start(recipe.position))?;
    Ok(file)
}
