//! What can be mapped: functions, closures, tasks and process types.

use std::io;
use std::marker::PhantomData;
use std::panic::{AssertUnwindSafe, catch_unwind};

use cucumber::func::{Shim, Stateless};
use cucumber::task::Signature;
use cucumber::{Func, Task};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::body::{Body, Files};
use super::job::Kind;
use super::protocol::{Before, Verdict};
use super::task::TaskFailure;
use crate::channel::{Message, scope};
use crate::engine::{Loan, caught};
use crate::error::Failure;

/// Makes what runs a call's items, once in every worker, of what the function has captured.
pub(super) type Setup = fn(Message) -> Result<Box<dyn Runner>, Failure>;

/// What a worker does before its first task.
pub(super) type Initializer = fn(()) -> Result<(), Failure>;

/// Runs the items of one call in a worker.
pub(super) trait Runner {
    fn run(&mut self, item: Body, scope: &mut Scope<'_>) -> Done;
}

/// What a runner can use besides its item.
pub(super) struct Scope<'a> {
    /// Where big results are put.
    pub(super) files: &'a Files,
    /// What a process runs with.
    pub(super) loan: &'a dyn Fn() -> io::Result<Loan>,
    /// How the process that the item is has failed before.
    pub(super) before: Option<Box<Before>>,
}

/// What running an item came to.
pub(super) type Done = (Verdict, Result<Body, TaskFailure>);

/// A mapped thing, without its types.
#[doc(hidden)]
#[derive(Debug)]
pub struct Callable {
    pub(super) name: &'static str,
    pub(super) setup: Func<Setup>,
    /// Or why they cannot be sent.
    pub(super) captures: cucumber::Result<Message>,
    pub(super) kind: Kind,
    /// How many each task has at least.
    pub(super) lives: u32,
}

/// Each item is one argument.
#[derive(Clone, Copy, Debug)]
pub struct Plain(());

/// Each item is a tuple of all arguments; see [`star`](crate::Pool::star).
#[derive(Clone, Copy, Debug)]
pub struct Star(());

/// Tells functions from tasks and process types, for the compiler only.
#[derive(Debug)]
pub struct ByFunction(());

/// Tells tasks from the others.
#[derive(Debug)]
pub struct ByTask(());

/// What can be mapped over items of type `A`.
///
/// That is: a function item, a local or generic function, a closure without captures, a `task!(…)`, and a process type
/// (its own name, where it is a struct with named fields, else [`process::<Type>()`](crate::process)). Of each item one is
/// made by the `fn new(…)` in its `#[skprocess] impl`, or by putting it in the only field.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be mapped over items of type `{A}`",
    label = "not a function of one `{A}`",
    note = "items and results must implement serde's `Serialize` and `Deserialize` and own what they hold",
    note = "with `star()` the items are tuples, and the function has as many arguments as they have fields",
    note = "a closure that captures variables is wrapped in `task!(…)`; its arguments are annotated: `|x: u32| …`",
    note = "a process type of more than one field has a `fn new(…)` in its `#[skprocess] impl` that makes one of an item"
)]
pub trait Mapped<A, S, K> {
    /// What each item becomes.
    type Output: Serialize + DeserializeOwned + 'static;

    #[doc(hidden)]
    fn __callable<J: Judge<Self::Output>>(self) -> Callable;
}

/// Applies a function to an item in the way `S`.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a function of one `{A}`",
    label = "does not take a `{A}`",
    note = "with `star()` the items are tuples, and the function has as many arguments as they have fields"
)]
pub trait Apply<A, S>: Copy + Send + 'static {
    type Output;

    fn apply(self, item: A) -> Self::Output;
}

impl<F: Fn(A) -> R + Copy + Send + 'static, A, R> Apply<A, Plain> for F {
    type Output = R;

    fn apply(self, item: A) -> R {
        self(item)
    }
}

macro_rules! stars {
    ($(($($argument:ident $name:ident)*))*) => {$(
        impl<F, R, $($argument),*> Apply<($($argument,)*), Star> for F
        where
            F: Fn($($argument),*) -> R + Copy + Send + 'static,
        {
            type Output = R;

            fn apply(self, ($($name,)*): ($($argument,)*)) -> R {
                self($($name),*)
            }
        }
    )*};
}

stars! {
    ()
    (A a)
    (A a B b)
    (A a B b C c)
    (A a B b C c D d)
    (A a B b C c D d E e)
    (A a B b C c D d E e G g)
    (A a B b C c D d E e G g H h)
    (A a B b C c D d E e G g H h I i)
}

/// Whether a value that a function returned says of itself that it failed.
#[doc(hidden)]
pub trait Judge<R>: 'static {
    fn failed(value: &R) -> bool;
}

/// Every value is one.
pub(crate) struct AnyValue(());

impl<R> Judge<R> for AnyValue {
    fn failed(_: &R) -> bool {
        false
    }
}

/// An `Err` is none.
pub(crate) struct OkValue(());

impl<T, E> Judge<Result<T, E>> for OkValue {
    fn failed(value: &Result<T, E>) -> bool {
        value.is_err()
    }
}

impl<F, A, S> Mapped<A, S, ByFunction> for F
where
    F: Apply<A, S>,
    F::Output: Serialize + DeserializeOwned + 'static,
    A: Serialize + DeserializeOwned + 'static,
    S: 'static,
{
    type Output = F::Output;

    fn __callable<J: Judge<F::Output>>(self) -> Callable {
        cucumber::know::<A>();
        Callable {
            name: std::any::type_name::<F>(),
            setup: Stateless::new(self).bind::<SetUp<A, S, J>>(),
            captures: Ok(Message { bytes: Vec::new(), fds: Vec::new() }),
            kind: Kind::Function,
            lives: 1,
        }
    }
}

impl<P, A, R> Mapped<A, Plain, ByTask> for Task<P>
where
    P: Signature<Closure = dyn Fn(A) -> R>,
    A: Serialize + DeserializeOwned + 'static,
    R: Serialize + DeserializeOwned + 'static,
{
    type Output = R;

    fn __callable<J: Judge<R>>(self) -> Callable {
        fn set_up<P, A, R, J>(task: Message) -> Result<Box<dyn Runner>, Failure>
        where
            P: Signature<Closure = dyn Fn(A) -> R>,
            A: DeserializeOwned + 'static,
            R: Serialize + DeserializeOwned + 'static,
            J: Judge<R>,
        {
            let call = closure::<P>(task)?;
            cucumber::know::<R>();
            Ok(Box::new(FunctionRunner { call, judge: J::failed, item: PhantomData }))
        }
        cucumber::know::<A>();
        Callable::of_task(self, Func::<Setup>::new(set_up::<P, A, R, J>))
    }
}

macro_rules! starred_tasks {
    ($(($($argument:ident $name:ident)*))*) => {$(
        impl<P, R, $($argument),*> Mapped<($($argument,)*), Star, ByTask> for Task<P>
        where
            P: Signature<Closure = dyn Fn($($argument),*) -> R>,
            R: Serialize + DeserializeOwned + 'static,
            $($argument: Serialize + DeserializeOwned + 'static),*
        {
            type Output = R;

            fn __callable<J: Judge<R>>(self) -> Callable {
                fn set_up<P, R, J, $($argument),*>(task: Message) -> Result<Box<dyn Runner>, Failure>
                where
                    P: Signature<Closure = dyn Fn($($argument),*) -> R>,
                    R: Serialize + 'static,
                    J: Judge<R>,
                    $($argument: DeserializeOwned + 'static),*
                {
                    let closure = closure::<P>(task)?;
                    let call = move |($($name,)*): ($($argument,)*)| closure($($name),*);
                    Ok(Box::new(FunctionRunner { call, judge: J::failed, item: PhantomData }))
                }
                Callable::of_task(self, Func::<Setup>::new(set_up::<P, R, J, $($argument),*>))
            }
        }
    )*};
}

starred_tasks! {
    (A a)
    (A a B b)
    (A a B b C c)
    (A a B b C c D d)
    (A a B b C c D d E e)
    (A a B b C c D d E e G g)
    (A a B b C c D d E e G g H h)
}

/// The closure of a task that has been sent.
fn closure<P: Signature>(task: Message) -> Result<Box<P::Closure>, Failure> {
    let task: cucumber::Result<Task<P>> = cucumber::decode_with(&task.bytes, scope(task.fds));
    task.and_then(|task| task.closure()).map_err(|error| {
        Failure::with_cause("what the task captures cannot be read", &error.with_root("task"))
    })
}

impl Callable {
    fn of_task<P: Signature>(task: Task<P>, setup: Func<Setup>) -> Self {
        let captures = Message::encode_untyped(&task).map_err(|error| error.with_root("task"));
        Callable { name: std::any::type_name::<P>(), setup, captures, kind: Kind::Function, lives: 1 }
    }
}

/// The way from a function's type to what runs it.
struct SetUp<A, S, J>(PhantomData<(A, S, J)>);

impl<F, A, S, J> Shim<F> for SetUp<A, S, J>
where
    F: Apply<A, S>,
    F::Output: Serialize + DeserializeOwned + 'static,
    J: Judge<F::Output>,
    A: DeserializeOwned + 'static,
    S: 'static,
{
    type Argument = Message;
    type Output = Result<Box<dyn Runner>, Failure>;

    fn call(function: F, _: Message) -> Result<Box<dyn Runner>, Failure> {
        cucumber::know::<F::Output>();
        let call = move |item: A| function.apply(item);
        Ok(Box::new(FunctionRunner { call, judge: J::failed, item: PhantomData }))
    }
}

struct FunctionRunner<C, A, R> {
    call: C,
    judge: fn(&R) -> bool,
    item: PhantomData<fn(A)>,
}

impl<C, A, R> Runner for FunctionRunner<C, A, R>
where
    C: Fn(A) -> R,
    A: DeserializeOwned,
    R: Serialize,
{
    fn run(&mut self, item: Body, scope: &mut Scope<'_>) -> Done {
        // Reading and writing values may run code of the user's as well.
        let done = catch_unwind(AssertUnwindSafe(|| {
            let (item, _) = item.decode();
            let item = item.map_err(|error: cucumber::Error| unreadable(error))?;
            let value = (self.call)(item);
            let verdict = if (self.judge)(&value) { Verdict::ErrValue } else { Verdict::Value };
            let body = Body::encode(&value, scope.files).map_err(unsendable)?;
            Ok((verdict, body))
        }));
        match done {
            Ok(Ok((verdict, body))) => (verdict, Ok(body)),
            Ok(Err(failure)) => (Verdict::GaveUp, Err(failure)),
            Err(panic) => (Verdict::Failed, Err(TaskFailure::Function(caught(&*panic)))),
        }
    }
}

pub(super) fn unreadable(error: cucumber::Error) -> TaskFailure {
    let error = error.with_root("item");
    TaskFailure::Function(Failure::with_cause("the item was sent, but cannot be read", &error))
}

pub(super) fn unsendable(error: cucumber::Error) -> Failure {
    Failure::with_cause("the value that it returned cannot be sent", &error.with_root("result"))
}
