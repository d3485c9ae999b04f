//! Arguments and variables as the system takes them: in one text each.
//!
//! They come as the bytes of an `OsString`: UTF-8, in which half a surrogate pair may be written by itself.

use std::ffi::CString;

/// What the bytes mean, as the system writes it. What is not of that kind is replaced.
pub(super) fn wide(bytes: &[u8]) -> Vec<u16> {
    let mut wide = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    loop {
        let (whole, after) = match std::str::from_utf8(rest) {
            Ok(text) => (text, &[][..]),
            Err(error) => {
                let (text, after) = rest.split_at(error.valid_up_to());
                (std::str::from_utf8(text).unwrap_or_default(), after)
            }
        };
        wide.extend(whole.encode_utf16());
        rest = match *after {
            [] => return wide,
            [0xED, second @ 0xA0..=0xBF, third @ 0x80..=0xBF, ref after @ ..] => {
                wide.push(0xD000 | u16::from(second & 0x3F) << 6 | u16::from(third & 0x3F));
                after
            }
            [_, ref after @ ..] => {
                wide.push(0xFFFD);
                after
            }
        };
    }
}

const QUOTE: u16 = b'"' as u16;
const BACKSLASH: u16 = b'\\' as u16;
const BLANK: u16 = b' ' as u16;

/// A command line that programs read as these arguments, as most of them do read it; with a zero behind it.
pub(super) fn line(arguments: &[CString]) -> Vec<u16> {
    let mut line = Vec::new();
    for (place, argument) in arguments.iter().enumerate() {
        let argument = wide(argument.as_bytes());
        if place == 0 {
            // Of the program's name nothing but quotes is read as something else, and it cannot hold one.
            line.push(QUOTE);
            line.extend(argument.into_iter().filter(|&unit| unit != QUOTE));
            line.push(QUOTE);
        } else {
            line.push(BLANK);
            quote(&argument, &mut line);
        }
    }
    line.push(0);
    line
}

fn quote(argument: &[u16], line: &mut Vec<u16>) {
    line.push(QUOTE);
    let mut backslashes = 0;
    for &unit in argument {
        if unit == QUOTE {
            // As many again for those before it, and one for the quote.
            line.extend(std::iter::repeat_n(BACKSLASH, backslashes + 1));
        }
        backslashes = if unit == BACKSLASH { backslashes + 1 } else { 0 };
        line.push(unit);
    }
    line.extend(std::iter::repeat_n(BACKSLASH, backslashes));
    line.push(QUOTE);
}

/// An environment: variables, each with a zero behind it, and one more at the end. The system wants them in order.
pub(super) fn block(variables: &[CString]) -> Vec<u16> {
    let mut variables: Vec<_> = variables.iter().map(|variable| wide(variable.as_bytes())).collect();
    variables.sort_by_cached_key(|variable| name(variable));
    let mut block: Vec<u16> =
        variables.into_iter().flat_map(|variable| variable.into_iter().chain([0])).collect();
    if block.is_empty() {
        block.push(0);
    }
    block.push(0);
    block
}

/// What a variable is sorted by. The name of a drive's folder begins with an equals sign.
fn name(variable: &[u16]) -> Vec<u16> {
    let is_end = |&(place, &unit): &(usize, &u16)| place > 0 && unit == u16::from(b'=');
    let end = variable.iter().enumerate().find(is_end).map_or(variable.len(), |(place, _)| place);
    let name = &variable[..end];
    String::from_utf16(name)
        .map_or_else(|_| name.to_vec(), |name| name.to_uppercase().encode_utf16().collect())
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;
    use std::os::windows::ffi::{OsStrExt as _, OsStringExt as _};

    use super::*;

    #[test]
    fn bytes_are_what_they_were() {
        for units in
            [&[0x61, 0xE4, 0x20AC, 0xD83D, 0xDE00][..], &[0xD800], &[0x61, 0xDC00, 0xD800, 0x62], &[]]
        {
            let text = OsString::from_wide(units);
            assert_eq!(text.encode_wide().collect::<Vec<_>>(), units);
            assert_eq!(wide(&text.into_encoded_bytes()), units);
        }
        assert_eq!(wide(b"a\xFFb"), [0x61, 0xFFFD, 0x62]);
    }

    #[test]
    fn arguments_are_quoted_as_they_are_read() {
        let line_of = |arguments: &[&str]| {
            let arguments: Vec<_> = arguments.iter().map(|text| CString::new(*text).unwrap()).collect();
            let line = line(&arguments);
            String::from_utf16(line.strip_suffix(&[0]).unwrap()).unwrap()
        };
        assert_eq!(line_of(&[r"C:\a b\"]), r#""C:\a b\""#);
        assert_eq!(line_of(&["x", "", r"a\b", r"a b\"]), r#""x" "" "a\b" "a b\\""#);
        assert_eq!(line_of(&["x", r#"say "hi""#, r#"\""#]), r#""x" "say \"hi\"" "\\\"""#);
    }

    #[test]
    fn variables_are_in_order() {
        let variables = ["b=1", "A=2", "=C:=C:\\", "a_=3"].map(|text| CString::new(text).unwrap());
        let block = String::from_utf16(&block(&variables)).unwrap();
        assert_eq!(block, "=C:=C:\\\0A=2\0a_=3\0b=1\0\0");
        assert_eq!(super::block(&[]), [0, 0]);
    }
}
