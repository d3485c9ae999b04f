//! Finding every live resource in a value, and bringing it back.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::fmt;
use std::hash::BuildHasher;
use std::time::{Duration, Instant};

use crate::credentials::Credentials;
use crate::error::{Error, Kind, Result, Segment};
use crate::live::{ATTEMPT, Live};
use crate::reconnect::Reconnect;

mod backoff;
pub mod specialised;

use backoff::Backoff;

/// A connection that does not answer within this time is dead.
const ANSWER: Duration = Duration::from_secs(5);

/// Something that may hold live resources.
///
/// Collections of them are such things, too; for a struct, `#[skprocess]` says it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not known to hold live resources",
    note = "`Live<C>`, and options, boxes, sequences and maps of it, are"
)]
pub trait Reconnectable {
    /// Shows every live resource to `visitor`, with the way to it.
    fn visit_live(&mut self, path: &Path<'_>, visitor: &mut dyn FnMut(&Path<'_>, &mut dyn AnyLive));
}

/// A [`Live`] whose type does not matter.
pub trait AnyLive {
    /// The connection's type.
    fn type_name(&self) -> &'static str;

    /// Whether there is a connection; it may be dead all the same.
    fn is_connected(&self) -> bool;

    /// Whether it connects by itself when it is first used, because it needs no secret.
    fn is_lazy(&self) -> bool;

    /// Takes its secret from `credentials`: the one for the field `name`, else the one for `"*"`.
    fn provide(&mut self, credentials: &Credentials, name: Option<&str>);

    /// Connects, if there is no connection.
    ///
    /// # Errors
    ///
    /// When the secret cannot be had, or connecting fails.
    fn connect(&mut self) -> Result<()>;

    /// Makes sure that the connection works: asks it, for 5 seconds at most, and replaces a dead one. Tries again until
    /// `deadline`, with growing pauses; without one, once. An attempt takes 10 seconds at most. Returns whether it is a new
    /// connection.
    ///
    /// # Errors
    ///
    /// As the last attempt.
    fn verify(&mut self, deadline: Option<Instant>) -> Result<bool> {
        self.verify_with(deadline, &mut asleep)
    }

    /// As [`verify`](AnyLive::verify), with the pauses in somebody else's hands: `pause` waits so long, and says whether to try
    /// again.
    ///
    /// # Errors
    ///
    /// As the last attempt.
    fn verify_with(
        &mut self,
        deadline: Option<Instant>,
        pause: &mut dyn FnMut(Duration) -> bool,
    ) -> Result<bool>;

    /// Ends the connection in good order.
    fn close(&mut self);
}

impl<C: Reconnect> AnyLive for Live<C> {
    fn type_name(&self) -> &'static str {
        crate::type_name::<C>()
    }

    fn is_connected(&self) -> bool {
        Live::is_connected(self)
    }

    fn is_lazy(&self) -> bool {
        Live::is_lazy(self)
    }

    fn provide(&mut self, credentials: &Credentials, name: Option<&str>) {
        Live::provide(self, credentials, name);
    }

    fn connect(&mut self) -> Result<()> {
        self.attempt(ATTEMPT).map(drop).map_err(|(error, _)| error)
    }

    fn verify_with(
        &mut self,
        deadline: Option<Instant>,
        pause: &mut dyn FnMut(Duration) -> bool,
    ) -> Result<bool> {
        let left = |most: Duration| match deadline {
            Some(deadline) => deadline.saturating_duration_since(Instant::now()).min(most),
            None => most,
        };
        if self.is_alive(left(ANSWER)) {
            return Ok(false);
        }
        let mut backoff = Backoff::new();
        let mut last = None;
        loop {
            let limit = left(ATTEMPT);
            if limit.is_zero() {
                let late = || format!("no time is left to connect `{}`", crate::type_name::<C>());
                return Err(last.unwrap_or_else(|| Error::new(Kind::Connect(late()))));
            }
            match self.attempt(limit) {
                Ok(_) => return Ok(true),
                Err((error, transient)) => {
                    if !(transient && backoff.next(deadline).is_some_and(&mut *pause)) {
                        return Err(error);
                    }
                    last = Some(error);
                }
            }
        }
    }

    fn close(&mut self) {
        Live::close(self);
    }
}

/// The way from a value to something inside it.
#[derive(Clone, Copy)]
pub struct Path<'a> {
    step: Step<'a>,
}

#[derive(Clone, Copy)]
enum Step<'a> {
    Root,
    Field(&'a Path<'a>, &'a str),
    Index(&'a Path<'a>, usize),
    Key(&'a Path<'a>, &'a str),
}

impl<'a> Path<'a> {
    /// The value itself.
    pub const ROOT: Self = Self { step: Step::Root };

    /// A field of what is here.
    #[must_use]
    pub fn field(&'a self, name: &'a str) -> Self {
        Self { step: Step::Field(self, name) }
    }

    /// An element of what is here.
    #[must_use]
    pub fn index(&'a self, index: usize) -> Self {
        Self { step: Step::Index(self, index) }
    }

    /// What is under a key of what is here.
    #[must_use]
    pub fn key(&'a self, key: &'a str) -> Self {
        Self { step: Step::Key(self, key) }
    }

    /// The nearest field or key, by which credentials are looked up.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        match self.step {
            Step::Root => None,
            Step::Field(_, name) | Step::Key(_, name) => Some(name),
            Step::Index(outer, _) => outer.name(),
        }
    }

    fn locate(&self, error: Error) -> Error {
        match self.step {
            Step::Root => error,
            Step::Field(outer, name) => outer.locate(error.within(Segment::Name(name.to_owned()))),
            Step::Index(outer, index) => outer.locate(error.within(Segment::Index(index))),
            Step::Key(outer, key) => outer.locate(error.within(Segment::Key(format!("{key:?}")))),
        }
    }
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.step {
            Step::Root => Ok(()),
            Step::Field(Path { step: Step::Root }, name) => f.write_str(name),
            Step::Field(outer, name) => write!(f, "{outer}.{name}"),
            Step::Index(outer, index) => write!(f, "{outer}[{index}]"),
            Step::Key(outer, key) => write!(f, "{outer}[{key:?}]"),
        }
    }
}

impl fmt::Debug for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Path({self})")
    }
}

/// What became of the live resources of a value.
#[derive(Debug, Default)]
#[must_use = "a resource that could not be brought back is reported here and nowhere else"]
pub struct Report {
    /// The paths of those that were connected.
    pub reconnected: Vec<String>,
    /// Why the others were not; each error begins with the path.
    pub failures: Vec<Error>,
}

impl Report {
    /// Whether all are well.
    #[must_use]
    pub fn is_ok(&self) -> bool {
        self.failures.is_empty()
    }

    /// The first failure, if there is one.
    ///
    /// # Errors
    ///
    /// That failure.
    pub fn into_result(self) -> Result<()> {
        self.failures.into_iter().next().map_or(Ok(()), Err)
    }
}

/// Gives every live resource in `value` its secret, and connects those that need one. The others connect when they are first used.
///
/// A connection that is there already is asked whether it works, and replaced if not.
pub fn reconnect_all<T: Reconnectable + ?Sized>(value: &mut T, credentials: &Credentials) -> Report {
    reconnect_until(value, credentials, None)
}

/// As [`reconnect_all`], trying again until `deadline` where that makes sense.
pub fn reconnect_until<T: Reconnectable + ?Sized>(
    value: &mut T,
    credentials: &Credentials,
    deadline: Option<Instant>,
) -> Report {
    reconnect_with(value, credentials, deadline, &mut asleep)
}

fn asleep(time: Duration) -> bool {
    std::thread::sleep(time);
    true
}

/// As [`reconnect_until`], for whoever must be able to stop waiting: `pause` waits so long between two attempts, or less, and
/// says whether to go on. Once it says no, nothing more is tried, and what is not connected then is among the failures only if
/// it was tried before.
///
/// ```
/// use cucumber::{Credentials, Live, reconnect_with};
/// # struct Nowhere;
/// # impl cucumber::Reconnect for Nowhere {
/// #     type Recipe = ();
/// #     fn needs_secret(_: &()) -> bool { true }
/// #     fn connect(_: &(), _: Option<&cucumber::Secret>, _: std::time::Duration) -> Result<Self, cucumber::BoxError> {
/// #         Err("nobody is there".into())
/// #     }
/// # }
///
/// let mut credentials = Credentials::new();
/// credentials.insert::<Nowhere>("*", cucumber::Provider::literal("secret"));
/// let far = std::time::Instant::now().checked_add(std::time::Duration::from_secs(3600));
/// let report = reconnect_with(&mut Live::<Nowhere>::new(()), &credentials, far, &mut |_| false);
/// assert!(!report.is_ok());
/// ```
pub fn reconnect_with<T: Reconnectable + ?Sized>(
    value: &mut T,
    credentials: &Credentials,
    deadline: Option<Instant>,
    pause: &mut dyn FnMut(Duration) -> bool,
) -> Report {
    let mut report = Report::default();
    let mut goes_on = true;
    value.visit_live(&Path::ROOT, &mut |path, live| {
        live.provide(credentials, path.name());
        if !goes_on || (live.is_lazy() && !live.is_connected()) {
            return;
        }
        let outcome = live.verify_with(deadline, &mut |time| {
            goes_on = pause(time);
            goes_on
        });
        match outcome {
            Ok(true) => report.reconnected.push(path.to_string()),
            Ok(false) => {}
            Err(error) => report.failures.push(path.locate(error)),
        }
    });
    report
}

type Visitor<'a> = &'a mut dyn FnMut(&Path<'_>, &mut dyn AnyLive);

impl<C: Reconnect> Reconnectable for Live<C> {
    fn visit_live(&mut self, path: &Path<'_>, visitor: Visitor<'_>) {
        visitor(path, self);
    }
}

impl<T: Reconnectable + ?Sized> Reconnectable for Box<T> {
    fn visit_live(&mut self, path: &Path<'_>, visitor: Visitor<'_>) {
        (**self).visit_live(path, visitor);
    }
}

impl<T: Reconnectable + ?Sized> Reconnectable for &mut T {
    fn visit_live(&mut self, path: &Path<'_>, visitor: Visitor<'_>) {
        (**self).visit_live(path, visitor);
    }
}

impl<T: Reconnectable> Reconnectable for Option<T> {
    fn visit_live(&mut self, path: &Path<'_>, visitor: Visitor<'_>) {
        if let Some(inner) = self {
            inner.visit_live(path, visitor);
        }
    }
}

fn visit_each<'a, T: Reconnectable + 'a>(
    items: impl IntoIterator<Item = &'a mut T>,
    path: &Path<'_>,
    visitor: Visitor<'_>,
) {
    for (index, item) in items.into_iter().enumerate() {
        item.visit_live(&path.index(index), visitor);
    }
}

fn visit_entries<'a, K: fmt::Debug + 'a, T: Reconnectable + 'a>(
    entries: impl IntoIterator<Item = (&'a K, &'a mut T)>,
    path: &Path<'_>,
    visitor: Visitor<'_>,
) {
    for (key, value) in entries {
        // A text without its quotes, which is how credentials name it.
        let shown = format!("{key:?}");
        let key = shown.strip_prefix('"').and_then(|key| key.strip_suffix('"')).unwrap_or(&shown);
        value.visit_live(&path.key(key), visitor);
    }
}

impl<T: Reconnectable> Reconnectable for [T] {
    fn visit_live(&mut self, path: &Path<'_>, visitor: Visitor<'_>) {
        visit_each(self, path, visitor);
    }
}

impl<T: Reconnectable, const N: usize> Reconnectable for [T; N] {
    fn visit_live(&mut self, path: &Path<'_>, visitor: Visitor<'_>) {
        visit_each(self, path, visitor);
    }
}

impl<T: Reconnectable> Reconnectable for Vec<T> {
    fn visit_live(&mut self, path: &Path<'_>, visitor: Visitor<'_>) {
        visit_each(self, path, visitor);
    }
}

impl<T: Reconnectable> Reconnectable for VecDeque<T> {
    fn visit_live(&mut self, path: &Path<'_>, visitor: Visitor<'_>) {
        visit_each(self, path, visitor);
    }
}

impl<K: fmt::Debug, T: Reconnectable, S: BuildHasher> Reconnectable for HashMap<K, T, S> {
    fn visit_live(&mut self, path: &Path<'_>, visitor: Visitor<'_>) {
        visit_entries(self, path, visitor);
    }
}

impl<K: fmt::Debug, T: Reconnectable> Reconnectable for BTreeMap<K, T> {
    fn visit_live(&mut self, path: &Path<'_>, visitor: Visitor<'_>) {
        visit_entries(self, path, visitor);
    }
}
