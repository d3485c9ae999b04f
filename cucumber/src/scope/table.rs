//! What is known of the encoding or decoding that goes on in this thread.
//!
//! Most of them hold neither handles nor shared values nor live resources, and fail in no way that has to be remembered. So what
//! all need is a few words, and the table is made when something is to be put into it.

use std::cell::{Cell, RefCell};

use super::{Attachment, Scope};
use crate::credentials::Credentials;
use crate::error::{Error, Kind};
use crate::graph::{Incoming, Outgoing};
use crate::stack::Stack;

/// What is going on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    Nothing,
    /// Bytes alone are wanted.
    Refusing,
    Encoding,
    Decoding,
    /// A type is being traced; it must touch nothing.
    Masked,
}

impl Mode {
    const ALL: [Self; 5] = [Self::Nothing, Self::Refusing, Self::Encoding, Self::Decoding, Self::Masked];
}

/// What kind of value refused to cross.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    Handle,
    Function,
}

/// What is known of every encoding and decoding: two words, each of which is read and written at once.
struct Now {
    state: Cell<State>,
    /// The stack of the outermost: those inside it use up the same.
    stack: Cell<Stack>,
}

/// A [`Mode`], and bits above it. One number, so that it is read and written at once: a word that was written in pieces is slow to read.
#[derive(Clone, Copy)]
struct State(u32);

impl State {
    /// The bytes may name functions.
    const FUNCTIONS: u32 = 1 << 8;
    /// The last of the tables is its own.
    const TABLE: u32 = 1 << 9;

    #[inline]
    const fn of(mode: Mode) -> Self {
        Self(mode as u32)
    }

    #[inline]
    const fn with(self, bit: u32) -> Self {
        Self(self.0 | bit)
    }

    #[inline]
    const fn has(self, bit: u32) -> bool {
        self.0 & bit != 0
    }

    #[inline]
    const fn is(self, mode: Mode) -> bool {
        self.0 & 0xff == mode as u32
    }
}

/// What is known of some.
#[derive(Default)]
pub(crate) struct Table {
    /// What rides beside the bytes that are being written.
    pub(super) attached: Vec<Attachment>,
    /// Whether they may be read any number of times.
    pub(super) for_many: bool,
    /// What came beside those that are being read.
    pub(super) came: Vec<Option<Attachment>>,
    pub(super) credentials: Option<Credentials>,
    /// The field that was met last, and that of the shared value which is being read.
    pub(super) place: Option<String>,
    pub(super) outer_place: Option<String>,
    /// What kind of thing went wrong in a `Serialize` or `Deserialize`; serde passes on nothing but its text.
    pub(super) failure: Option<Failure>,
    /// The same for an error from another part of the encoding, which has a path already.
    pub(super) stashed: Option<(String, Error)>,
    /// The shared values of an encoding, as soon as there is one.
    pub(crate) outgoing: Option<Box<Outgoing>>,
    /// Those that came with the bytes.
    pub(crate) incoming: Option<Box<Incoming>>,
}

thread_local! {
    static NOW: Now = const {
        Now { state: Cell::new(State::of(Mode::Nothing)), stack: Cell::new(Stack::NONE) }
    };
    // Encodings nest: a `Serialize` implementation may encode something on its own account.
    static TABLES: RefCell<Vec<Table>> = const { RefCell::new(Vec::new()) };
}

#[inline]
fn state() -> State {
    NOW.with(|now| now.state.get())
}

#[inline]
pub(super) fn mode() -> Mode {
    let state = state();
    Mode::ALL.into_iter().find(|mode| state.is(*mode)).unwrap_or(Mode::Nothing)
}

/// Whether something is being encoded.
pub(crate) fn is_writing() -> bool {
    matches!(mode(), Mode::Encoding | Mode::Refusing)
}

/// Whether the bytes being decoded may name functions.
pub(crate) fn trusts_functions() -> bool {
    state().has(State::FUNCTIONS)
}

/// The stack of the encoding or decoding in progress.
pub(crate) fn stack() -> Stack {
    match mode() {
        Mode::Nothing => Stack::here(),
        _ => NOW.with(|now| now.stack.get()),
    }
}

/// Does something with the table, if there is one already.
#[inline]
pub(crate) fn with_top<R>(body: impl FnOnce(Option<&mut Table>) -> R) -> R {
    if state().has(State::TABLE) { with_last(body) } else { body(None) }
}

/// Does something with the table. There is none where nothing is going on, and in a thread that is ending.
pub(crate) fn with_table<R>(body: impl FnOnce(Option<&mut Table>) -> R) -> R {
    if state().is(Mode::Nothing) {
        return body(None);
    }
    if !state().has(State::TABLE)
        && TABLES.try_with(|tables| tables.borrow_mut().push(Table::default())).is_ok()
    {
        NOW.with(|now| now.state.set(now.state.get().with(State::TABLE)));
    }
    with_top(body)
}

fn with_last<R>(body: impl FnOnce(Option<&mut Table>) -> R) -> R {
    let mut body = Some(body);
    let done = TABLES.try_with(|tables| {
        let mut tables = tables.borrow_mut();
        body.take().map(|body| body(tables.last_mut()))
    });
    match (done, body) {
        (Ok(Some(done)), _) => done,
        // The thread is ending and its tables are gone.
        (_, Some(body)) => body(None),
        (_, None) => unreachable!("the body ran and returned nothing"),
    }
}

/// An encoding or decoding in progress; leaving the block, also by a panic, ends it.
pub(crate) struct Guard {
    pub(crate) stack: Stack,
    /// What is known of the one around it.
    outer: State,
}

impl Guard {
    #[inline]
    pub(crate) fn refusing() -> Self {
        Self::begin(State::of(Mode::Refusing))
    }

    #[inline]
    pub(crate) fn encoding() -> Self {
        Self::begin(State::of(Mode::Encoding))
    }

    pub(crate) fn encoding_for_many() -> Self {
        let guard = Self::encoding();
        with_table(|table| table.map(|table| table.for_many = true));
        guard
    }

    pub(crate) fn masked() -> Self {
        Self::begin(State::of(Mode::Masked))
    }

    /// With whether the bytes may name functions.
    #[inline]
    pub(crate) fn decoding(functions: bool) -> Self {
        Self::begin(State::of(Mode::Decoding).with(if functions { State::FUNCTIONS } else { 0 }))
    }

    /// Puts into the table what comes with a decoding.
    #[expect(clippy::unused_self, reason = "the guard is the right to speak of the table")]
    pub(crate) fn fill(&self, scope: Scope, incoming: Option<Box<Incoming>>) {
        if incoming.is_none() && !scope.has_things() {
            return;
        }
        with_table(|table| {
            if let Some(table) = table {
                table.came = scope.attachments.into_iter().map(Some).collect();
                table.credentials = scope.credentials;
                table.incoming = incoming;
            }
        });
    }

    #[inline]
    fn begin(state: State) -> Self {
        NOW.with(|now| {
            let outer = now.state.replace(state);
            let stack = match outer.is(Mode::Nothing) {
                true => Stack::here(),
                false => now.stack.get(),
            };
            now.stack.set(stack);
            Self { stack, outer }
        })
    }

    /// The shared values that the encoding came across.
    #[inline]
    #[expect(clippy::unused_self, reason = "the guard is the right to speak of the table")]
    pub(crate) fn take_shared(&self) -> Option<Box<Outgoing>> {
        with_top(|table| table?.outgoing.take())
    }

    /// What was attached since the beginning, or since this was asked last.
    #[inline]
    #[expect(clippy::unused_self, reason = "the guard is the right to speak of the table")]
    pub(crate) fn take_attachments(&self) -> Vec<Attachment> {
        with_top(|table| table.map(|table| std::mem::take(&mut table.attached)).unwrap_or_default())
    }
}

/// Gives an error that came as plain text its kind, before the guard ends what is going on.
///
/// It is not given the guard, which can stay in registers then.
#[cold]
pub(crate) fn classify(error: Error) -> Error {
    match with_top(|table| table.and_then(|table| table.failure)) {
        Some(Failure::Handle) => error.reclassify(Kind::Handle),
        Some(Failure::Function) => error.reclassify(Kind::Function),
        None => error,
    }
}

impl Drop for Guard {
    #[inline]
    fn drop(&mut self) {
        if NOW.with(|now| now.state.replace(self.outer)).has(State::TABLE) {
            end_table();
        }
    }
}

#[cold]
#[inline(never)]
fn end_table() {
    // Ended outside the borrow: what is left in the table may do something when it is dropped.
    let ended = TABLES.try_with(|tables| tables.borrow_mut().pop());
    drop(ended);
}
