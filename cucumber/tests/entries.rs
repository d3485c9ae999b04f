//! Every door that bytes come in by: whatever they are, the answer is a value or an error that says of which kind it is.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should panic")]

mod support;

use std::process::Command;
use std::rc::Rc;

use cucumber::cross::{As, Same, Shared};
use cucumber::{Credentials, Error, Scope};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use support::Unknown;

#[derive(Serialize, Deserialize, Debug)]
struct Letter {
    number: u32,
    text: String,
    numbers: Vec<i64>,
    floats: Vec<f32>,
    pages: Vec<(Option<bool>, f64)>,
    #[serde(with = "As::<Vec<Shared<Same>>>")]
    seals: Vec<Rc<String>>,
}

#[derive(Serialize, Deserialize, Debug)]
enum Deep {
    End,
    More(Box<Deep>),
}

type Door = (&'static str, fn(&[u8]) -> Result<(), Error>);

/// All of them.
fn doors<T: DeserializeOwned>() -> [Door; 6] {
    [
        ("from_bytes", |bytes| cucumber::from_bytes::<T>(bytes).map(drop)),
        ("decode", |bytes| cucumber::decode::<T>(bytes, Vec::new()).map(drop)),
        ("decode_with", |bytes| {
            let scope = Scope::new().with_credentials(Credentials::new());
            cucumber::decode_with::<T>(bytes, scope).map(drop)
        }),
        ("decode_message", |bytes| cucumber::decode_message::<T>(bytes, &mut Scope::new()).map(drop)),
        ("message_type", |bytes| cucumber::message_type(bytes).map(drop)),
        ("inspect_bytes", |bytes| cucumber::inspect_bytes(bytes).map(drop)),
    ]
}

/// With names and without, as a value and as a message.
fn frames() -> Vec<Vec<u8>> {
    let seal = Rc::new("wax".to_owned());
    let letter = Letter {
        number: 70_000,
        text: "grüße".into(),
        numbers: vec![-1, 0, 1 << 40],
        floats: vec![0.5, f32::INFINITY],
        pages: vec![(Some(true), 1.5), (None, -0.0)],
        seals: vec![seal.clone(), seal],
    };
    cucumber::know::<Letter>();
    vec![
        cucumber::to_bytes(&letter).unwrap(),
        cucumber::to_bytes(&Unknown(&letter)).unwrap(),
        cucumber::encode_message(&letter).unwrap().bytes,
        cucumber::encode_message(&Unknown(&letter)).unwrap().bytes,
    ]
}

/// A frame around `body`, in the codec of this number; a message, if it has a name.
fn frame(codec: u8, name: &str, body: &[u8]) -> Vec<u8> {
    let mut whole = Vec::new();
    if !name.is_empty() {
        whole.extend_from_slice(&(name.len() as u16).to_le_bytes());
        whole.extend_from_slice(name.as_bytes());
    }
    whole.extend_from_slice(body);
    let mut frame = b"cuc\x01".to_vec();
    frame.extend_from_slice(&[codec, u8::from(!name.is_empty()), 0, 0]);
    frame.extend_from_slice(&(whole.len() as u64).to_le_bytes());
    frame.extend_from_slice(&whole);
    frame
}

/// What it is an error of, in a word; the text alone would be no answer to a program.
fn kind(error: &Error) -> Option<&'static str> {
    let kinds = [
        (error.is_truncated(), "truncated"),
        (error.is_malformed(), "malformed"),
        (error.is_version(), "version"),
        (error.is_wrong_type(), "wrong type"),
        (error.is_handle(), "handle"),
        (error.is_too_deep(), "too deep"),
        (error.is_unsupported(), "unsupported"),
        (error.is_refused(), "refused"),
    ];
    kinds.into_iter().find(|(is_it, _)| *is_it).map(|(_, kind)| kind)
}

#[test]
fn what_is_cut_short_is_refused_at_every_door() {
    for whole in frames() {
        for (door, open) in doors::<Letter>() {
            for end in 0..whole.len() {
                let error = open(&whole[..end]).expect_err(door);
                assert!(error.is_truncated(), "{door}, {end} bytes: {error:?}");
            }
        }
    }
}

#[test]
fn what_is_cut_short_inside_of_its_frame_is_refused_by_whoever_reads_it() {
    for whole in frames() {
        for end in 17..whole.len() {
            let mut cut = whole[..end].to_vec();
            let length = (end - 16) as u64;
            cut[8..16].copy_from_slice(&length.to_le_bytes());
            for (door, open) in doors::<Letter>() {
                match open(&cut) {
                    // They read no more than the name, or show what has none as so many bytes.
                    Ok(()) => assert!(["message_type", "inspect_bytes"].contains(&door), "{door}, {end}"),
                    Err(error) => assert!(kind(&error).is_some(), "{door}, {end}: {error:?}"),
                }
            }
        }
    }
}

#[test]
fn every_flipped_bit_is_a_value_or_an_error_of_some_kind() {
    for whole in frames() {
        for place in 0..whole.len() {
            for bit in 0..8 {
                let mut damaged = whole.clone();
                damaged[place] ^= 1 << bit;
                for (door, open) in doors::<Letter>() {
                    if let Err(error) = open(&damaged) {
                        assert!(kind(&error).is_some(), "{door}, bit {bit} of {place}: {error:?}");
                    }
                }
            }
        }
    }
}

#[test]
fn a_million_levels_are_too_deep_at_every_door() {
    cucumber::know::<Deep>();
    // Traced by its first encoding.
    cucumber::to_bytes(&Deep::End).unwrap();
    let name = cucumber::type_name::<Deep>();
    let plain = [&[1].repeat(1_000_000)[..], &[0]].concat();
    let named = [&b"\x81\xa4More".repeat(1_000_000)[..], b"\xa3End"].concat();
    for (codec, body) in [(1, &plain), (2, &named)] {
        for (door, open) in doors::<Deep>() {
            let found = open(&frame(codec, name, body));
            match door {
                "message_type" => found.unwrap(),
                _ => assert!(found.as_ref().unwrap_err().is_too_deep(), "{door}, codec {codec}: {found:?}"),
            }
        }
    }
}

const LIMITED: &str = "ENTRIES_LIMITED";

/// In a process of its own, which is given so much memory that a reservation of what is claimed fails; on Windows, where
/// nothing gives less, in this one.
#[test]
fn a_forged_length_takes_no_memory_at_any_door() {
    if cfg!(unix) && std::env::var_os(LIMITED).is_none() {
        let test = "a_forged_length_takes_no_memory_at_any_door";
        let mut command = Command::new("sh");
        command.args(["-c", "ulimit -v 1000000 && exec \"$0\" --exact \"$1\" --test-threads 1"]);
        let output =
            command.arg(std::env::current_exe().unwrap()).arg(test).env(LIMITED, "").output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        return;
    }
    fn forged<T: Serialize + DeserializeOwned>(sample: &T) {
        cucumber::know::<T>();
        cucumber::to_bytes(sample).unwrap();
        let name = cucumber::type_name::<T>();
        // 2^63, 2^40 and 2^28 elements, in postcard; 2^32 in each of MessagePack's forms.
        let huge: [&[u8]; 3] = [
            &[0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01, 1, 2, 3],
            &[0x80, 0x80, 0x80, 0x80, 0x80, 0x20, 1, 2, 3],
            &[0x80, 0x80, 0x80, 0x80, 0x01, 1, 2, 3],
        ];
        let markers = [0xdd, 0xdf, 0xdb, 0xc6, 0xc9].map(|marker| [marker, 255, 255, 255, 255, 2, 2, 3]);
        let plain = huge.iter().map(|body| frame(1, name, body));
        for bytes in plain.chain(markers.iter().map(|body| frame(2, name, body))) {
            for (door, open) in doors::<T>() {
                match (door, open(&bytes)) {
                    ("message_type", found) => found.unwrap(),
                    (_, found) => {
                        let error = found.expect_err(door);
                        assert!(error.is_truncated() || error.is_malformed(), "{door}, {name}: {error:?}");
                    }
                }
            }
        }
    }
    forged(&vec![1u8]);
    forged(&vec![1u64]);
    forged(&vec![1i16]);
    forged(&vec![1.5f64]);
    forged(&vec![(1u8, 2u8)]);
    forged(&"text".to_owned());
    forged(&std::collections::BTreeMap::from([(1u8, 2u8)]));
    forged(&std::collections::HashMap::from([(1u64, 2u64)]));
    // Shared values, and a name, that are longer than everything.
    let mut shared = frame(1, "", &[&[0][..], &[255; 12]].concat());
    shared[5] = 2;
    let mut named = frame(1, "", &[255; 12]);
    named[5] = 1;
    for bytes in [shared, named] {
        for (door, open) in doors::<u8>() {
            assert!(open(&bytes).expect_err(door).is_truncated() || door == "message_type", "{door}");
        }
    }
}
