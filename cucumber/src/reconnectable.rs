//! Finding every live resource in a value, and bringing it back.

use std::time::{Duration, Instant};

use crate::credentials::Credentials;
use crate::error::{Error, Kind, Result};
use crate::live::{ATTEMPT, Live};
use crate::reconnect::Reconnect;

mod backoff;
mod held;
mod locked;
mod path;
pub(crate) mod specialised;

use backoff::Backoff;
pub use path::Path;

/// Whoever wants to see live resources.
type Visitor<'a> = &'a mut dyn FnMut(&Path<'_>, &mut dyn AnyLive);

/// A connection that does not answer within this time is dead.
const ANSWER: Duration = Duration::from_secs(5);

/// Something that may hold live resources.
///
/// `#[cucumber]` and `#[skprocess]` say it of the types that they stand on, and look through all fields: those whose type is such a
/// thing are shown, the others are passed over, and so is one whose type is a parameter. Options, boxes, tuples, sequences and the
/// values of maps are such things where what they hold is, and so are `Mutex`, `RwLock` and `RefCell`, alone and in an `Rc` or
/// `Arc`. What is locked just then, or was poisoned, is passed over.
///
/// ```
/// use cucumber::{Credentials, Live, Provider, cucumber, reconnect_all};
/// use std::sync::{Arc, Mutex};
/// # struct Client(String);
/// # impl cucumber::Reconnect for Client {
/// #     type Recipe = ();
/// #     fn needs_secret(_: &()) -> bool { true }
/// #     fn connect(_: &(), secret: Option<&cucumber::Secret>, _: std::time::Duration) -> Result<Self, cucumber::BoxError> {
/// #         Ok(Client(secret.map(|secret| secret.expose().to_owned()).unwrap_or_default()))
/// #     }
/// # }
///
/// #[cucumber]
/// struct Shop { orders: Arc<Mutex<Live<Client>>>, name: String }
///
/// let orders = Arc::new(Mutex::new(Live::new(())));
/// let mut shop = Shop { orders, name: "corner".into() };
/// let mut credentials = Credentials::new();
/// credentials.insert::<Client>("orders", Provider::literal("secret"));
/// assert_eq!(reconnect_all(&mut shop, &credentials).reconnected, ["orders"]);
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not known to hold live resources",
    note = "`Live<C>`, and options, boxes, sequences, maps and locks of it, are; put `#[cucumber]` on a type of your own"
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
