//! What has a place outside of the value: sockets and descriptors, and what else serde knows nothing of.

use std::cell::OnceCell;
use std::fs::File;
use std::io::{BufReader, Cursor, Read, Seek, SeekFrom, Write};
use std::iter::Rev;
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::ops::Range;
use std::os::fd::OwnedFd;
use std::os::unix::net::{UnixDatagram, UnixListener, UnixStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI8, AtomicU64, Ordering};

use processing::cucumber;
use regex::Regex;
use tests::TempDir;
use tracing::level_filters::LevelFilter;
use tracing::{Level, Span};

use crate::dice::Dice;
use crate::{FILE, crossed};

#[cucumber]
pub(crate) enum Outside {
    Tcp { one: TcpStream, other: TcpStream, listener: TcpListener },
    Udp(Vec<UdpSocket>),
    Unix { listener: UnixListener, pair: (UnixDatagram, UnixDatagram) },
    Descriptor(Option<OwnedFd>, OwnedFd),
    Counters(AtomicU64, AtomicBool, [AtomicI8; 2]),
    Pattern(Regex),
    Traced { level: Level, filter: Option<LevelFilter>, span: Span },
    Read(BufReader<File>, Cursor<Vec<u8>>),
    Left(Rev<Range<u32>>, OnceCell<Box<str>>),
    Shared(Arc<[u16]>, Arc<str>, Arc<str>),
}

impl Outside {
    pub(crate) fn any(dice: &mut Dice, folder: &TempDir) -> Self {
        match dice.below(10) {
            0 => {
                let listener = TcpListener::bind("127.0.0.1:0").unwrap();
                let one = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
                Self::Tcp { one, other: listener.accept().unwrap().0, listener }
            }
            1 => Self::Udp((0..2).map(|_| UdpSocket::bind("127.0.0.1:0").unwrap()).collect()),
            2 => {
                let path = folder.path().join(format!("socket {}", dice.next()));
                Self::Unix {
                    listener: UnixListener::bind(path).unwrap(),
                    pair: UnixDatagram::pair().unwrap(),
                }
            }
            3 => {
                let (reader, writer) = std::io::pipe().unwrap();
                Self::Descriptor((dice.below(2) == 0).then(|| reader.into()), writer.into())
            }
            4 => Self::Counters(dice.next().into(), (dice.below(2) == 0).into(), [(-128).into(), 7.into()]),
            5 => Self::Pattern(Regex::new(r"(?i)^(?<word>[a-z]+) ß$").unwrap()),
            6 => Self::Traced {
                level: [Level::TRACE, Level::ERROR][dice.below(2)],
                filter: [None, Some(LevelFilter::OFF), Some(LevelFilter::INFO)][dice.below(3)],
                span: Span::none(),
            },
            7 => {
                let path = folder.path().join("file to be read");
                std::fs::write(&path, FILE).unwrap();
                let mut reader = BufReader::new(File::open(path).unwrap());
                reader.seek(SeekFrom::Start(dice.below(FILE.len()) as u64)).unwrap();
                let mut cursor = Cursor::new(dice.bytes());
                cursor.set_position(dice.below(30) as u64);
                Self::Read(reader, cursor)
            }
            8 => {
                let mut rest = (0..10).rev();
                rest.by_ref().take(dice.below(11)).count();
                let once = OnceCell::new();
                if dice.below(2) == 0 {
                    once.get_or_init(|| dice.text().into());
                }
                Self::Left(rest, once)
            }
            _ => {
                let text: Arc<str> = dice.text().into();
                let numbers = dice.bytes().into_iter().map(|byte| u16::from(byte) << 4);
                Self::Shared(numbers.collect(), text.clone(), text)
            }
        }
    }

    /// Uses it.
    pub(crate) fn try_out(&self) -> anyhow::Result<()> {
        match self {
            Self::Tcp { one, other, listener } => {
                crossed(&mut { one }, &mut { other })?;
                let mut guest = TcpStream::connect(listener.local_addr()?)?;
                crossed(&mut guest, &mut listener.accept()?.0)?;
            }
            Self::Udp(sockets) => {
                sockets[0].send_to(b"crossed", sockets[1].local_addr()?)?;
                heard(|buffer| sockets[1].recv(buffer))?;
            }
            Self::Unix { listener, pair: (one, other) } => {
                one.send(b"crossed")?;
                heard(|buffer| other.recv(buffer))?;
                let mut guest = UnixStream::connect_addr(&listener.local_addr()?)?;
                crossed(&mut guest, &mut listener.accept()?.0)?;
            }
            Self::Descriptor(Some(reader), writer) => {
                crossed(&mut File::from(writer.try_clone()?), &mut File::from(reader.try_clone()?))?;
            }
            Self::Descriptor(None, writer) => {
                let broken = File::from(writer.try_clone()?).write(b"nobody reads").unwrap_err();
                anyhow::ensure!(broken.kind() == std::io::ErrorKind::BrokenPipe);
            }
            Self::Counters(number, flag, small) => {
                number.fetch_add(1, Ordering::Relaxed);
                anyhow::ensure!(number.fetch_sub(1, Ordering::Relaxed) < u64::MAX);
                anyhow::ensure!(flag.fetch_not(Ordering::Relaxed) != flag.fetch_not(Ordering::Relaxed));
                anyhow::ensure!(small[0].load(Ordering::Relaxed) == i8::MIN);
            }
            Self::Pattern(pattern) => {
                let found = pattern.captures("STRASSE ß").map(|found| found["word"].to_owned());
                anyhow::ensure!(found.as_deref() == Some("STRASSE") && !pattern.is_match("Straße SS"));
            }
            Self::Traced { level, span, .. } => {
                anyhow::ensure!([Level::TRACE, Level::ERROR].contains(level) && span.is_disabled());
            }
            Self::Read(reader, _) => {
                let mut file = reader.get_ref();
                let before = file.stream_position()?;
                let mut text = String::new();
                file.read_to_string(&mut text)?;
                anyhow::ensure!(text == FILE[before as usize..]);
                file.seek(SeekFrom::Start(before))?;
            }
            Self::Left(rest, _) => anyhow::ensure!(rest.clone().eq((0..rest.len() as u32).rev())),
            Self::Shared(_, one, other) => anyhow::ensure!(Arc::ptr_eq(one, other)),
        }
        Ok(())
    }
}

fn heard(receive: impl FnOnce(&mut [u8]) -> std::io::Result<usize>) -> anyhow::Result<()> {
    let mut heard = [0; 16];
    let len = receive(&mut heard)?;
    anyhow::ensure!(&heard[..len] == b"crossed");
    Ok(())
}
