//! Process types as what is mapped: each item becomes an instance, which lives its whole life in the worker.

use std::marker::PhantomData;
use std::panic::{AssertUnwindSafe, catch_unwind};

use cucumber::Func;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::body::{Body, Bytes};
use super::function::{Callable, Done, Judge, Mapped, Runner, Scope, Setup, unreadable, unsendable};
use super::job::Kind;
use super::protocol::{Before, Verdict};
use super::task::TaskFailure;
use crate::Phase;
use crate::channel::Message;
use crate::engine::{self, caught};
use crate::error::Failure;
use crate::lifecycle::{FromItem, ProcessType, Skprocess};

/// Tells process types from the others, for the compiler only.
#[derive(Debug)]
pub struct ByProcess(());

/// Each item is what `fn new` takes, or the only field; with `star`, tuples are all arguments of `new`.
impl<W, A, S> Mapped<A, S, ByProcess> for ProcessType<W>
where
    W: Skprocess + FromItem<A>,
    A: Serialize + DeserializeOwned + 'static,
    S: 'static,
{
    type Output = W::Output;

    fn __callable<J: Judge<W::Output>>(self) -> Callable {
        fn set_up<W, A, J>(_: Message) -> Result<Box<dyn Runner>, Failure>
        where
            W: Skprocess + FromItem<A>,
            A: DeserializeOwned + 'static,
            J: Judge<W::Output>,
        {
            // As in the parent for the items: nothing has decoded one here.
            cucumber::know::<W::Output>();
            Ok(Box::new(ProcessRunner::<W, A> { judge: J::failed, types: PhantomData }))
        }
        cucumber::know::<A>();
        Callable {
            name: std::any::type_name::<W>(),
            setup: Func::<Setup>::new(set_up::<W, A, J>),
            captures: Ok(Message { bytes: Vec::new(), fds: Vec::new() }),
            kind: Kind::Process { has_error_hook: W::__hooks().contains(&Phase::Error) },
            lives: W::CONFIG.lives.max(1),
        }
    }
}

struct ProcessRunner<W: Skprocess, A> {
    judge: fn(&W::Output) -> bool,
    types: PhantomData<fn(A) -> W>,
}

impl<W, A> ProcessRunner<W, A>
where
    W: Skprocess + FromItem<A>,
    A: DeserializeOwned,
{
    fn live(&self, item: Body, scope: &Scope<'_>) -> Result<(Verdict, Body), TaskFailure> {
        let (item, _) = item.decode_in(|scope| scope.with_credentials(W::credentials()));
        let process = W::from_item(item.map_err(unreadable)?);
        let loan = (scope.loan)().map_err(|error| {
            TaskFailure::Function(Failure::with_cause("the worker cannot set the process up", &error))
        })?;
        let deliver = |value: Option<W::Output>| {
            let Some(value) = value else { return Ok((Verdict::Value, nothing())) };
            let verdict = if (self.judge)(&value) { Verdict::ErrValue } else { Verdict::Value };
            Ok((verdict, Body::encode(&value, scope.files).map_err(unsendable)?))
        };
        match scope.before.clone().map(|before| *before) {
            None => engine::live_here(process, loan, None, deliver),
            Some(Before::Failed(error)) => engine::live_here(process, loan, Some(error), deliver),
            Some(Before::Last(error)) => engine::last_word(process, loan, error, deliver),
        }
        .map_err(TaskFailure::Last)
    }
}

impl<W, A> Runner for ProcessRunner<W, A>
where
    W: Skprocess + FromItem<A>,
    A: DeserializeOwned,
{
    fn run(&mut self, item: Body, scope: &mut Scope<'_>) -> Done {
        // Reading values, making the process and dropping it may run code of the user's outside all hooks.
        let done = catch_unwind(AssertUnwindSafe(|| self.live(item, scope)));
        let (verdict, failure) = match done {
            Ok(Ok((verdict, body))) => return (verdict, Ok(body)),
            Ok(Err(failure)) => (Verdict::GaveUp, failure),
            Err(panic) => (Verdict::Failed, TaskFailure::Function(caught(&*panic))),
        };
        match (failure, scope.before.take().map(|before| *before)) {
            (TaskFailure::Function(_), Some(Before::Last(first))) => {
                (Verdict::GaveUp, Err(TaskFailure::Last(first)))
            }
            (failure, _) => (verdict, Err(failure)),
        }
    }
}

/// Without a `result` hook the output is `()`, of which there is one value.
fn nothing() -> Body {
    Body { bytes: Bytes::Here(cucumber::to_bytes(&()).unwrap_or_default().into()), fds: Vec::new() }
}
