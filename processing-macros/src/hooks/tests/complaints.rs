use super::*;

/// The one complaint about an impl with this function beside a proper `run`.
fn about(function: TokenStream) -> String {
    let (_, complaints) = expand(quote!(), quote!(impl W { fn run(&mut self) {} #function }));
    assert_eq!(complaints.len(), 1, "{complaints:#?}");
    complaints.concat()
}

#[test]
fn wrong_signatures_say_what_to_write() {
    for (function, message) in [
        (
            quote!(
                fn prerun(&mut self, n: u8) {}
            ),
            "`prerun` takes nothing but `self`; keep what it needs in a field",
        ),
        (
            quote!(
                fn prerun(self) {}
            ),
            "`prerun` borrows the process; write `fn prerun(&mut self)`",
        ),
        (
            quote!(
                fn prerun(self: Box<Self>) {}
            ),
            "`prerun` borrows the process; write `fn prerun(&mut self)`",
        ),
        (
            quote!(
                fn prerun() {}
            ),
            "`prerun` is a method; write `fn prerun(&mut self)`",
        ),
        (
            quote!(
                const fn prerun(&mut self) {}
            ),
            "`prerun` runs in another process, not at compile time; remove `const`",
        ),
        (
            quote!(
                unsafe fn prerun(&mut self) {}
            ),
            "`prerun` is called by the runtime, which makes no promises; remove `unsafe`",
        ),
        (
            quote!(
                extern "C" fn prerun(&mut self) {}
            ),
            "`prerun` is called from Rust; remove `extern`",
        ),
        (
            quote!(
                fn prerun<T>(&mut self) {}
            ),
            "nobody could choose this parameter of `prerun`; move it to the impl and the struct",
        ),
        (
            quote!(
                fn prerun(&mut self)
                where
                    T: Copy,
                {
                }
            ),
            "`prerun` is always called; move this clause to the impl",
        ),
        (
            quote!(
                fn prerun(&mut self) -> ! {
                    loop {}
                }
            ),
            "`prerun` returns once an iteration is done; the runtime calls it again until `stop()`",
        ),
        (
            quote!(
                fn prerun(&mut self) -> impl Sized {}
            ),
            "`prerun` returns nothing or a `Result<(), E>`",
        ),
        (
            quote!(
                fn result(&mut self) -> &str {
                    ""
                }
            ),
            "this value is sent to the parent; return one that owns its data",
        ),
        (
            quote!(
                fn result(&mut self) -> Result<&[u8], E> {
                    todo!()
                }
            ),
            "this value is sent to the parent; return one that owns its data",
        ),
        (
            quote!(
                fn result(&mut self) -> impl Sized {}
            ),
            "this value is sent to the parent, who has to know its type; write the type's name",
        ),
        (
            quote!(
                fn error(&mut self) -> Result<u8, E> {}
            ),
            "`error` is given the error; write `fn error(&mut self, error: ProcessError) -> Result<Output, ProcessError>`",
        ),
        (
            quote!(
                fn error(&mut self, e: E, n: u8) -> Result<u8, E> {}
            ),
            "`error` is given the error only; write `fn error(&mut self, error: ProcessError) -> Result<Output, ProcessError>`",
        ),
        (
            quote!(
                fn error(&mut self, e: E) {}
            ),
            "`error` decides how the process ends; write `fn error(&mut self, error: ProcessError) -> Result<Output, ProcessError>`: `Ok(value)` becomes the result, `Err(error)` is what it fails with",
        ),
    ] {
        assert_eq!(about(function), message);
    }
    // The same borrow, spelled out.
    expanded(quote!(impl W { fn run(self: &mut Self) {} fn result(&self) {} }));
}

#[test]
fn what_was_meant_to_be_a_hook_is_found() {
    const HELPER: &str = " If it is a helper, move it to an impl without `#[skprocess]`";
    for (function, name, meant, helper) in [
        (
            quote!(
                fn pre_run(&mut self) {}
            ),
            "pre_run",
            "prerun",
            "",
        ),
        (
            quote!(
                fn on_finish(&mut self) {}
            ),
            "on_finish",
            "onfinish",
            "",
        ),
        (
            quote!(
                fn __postrun__(&mut self) {}
            ),
            "__postrun__",
            "postrun",
            "",
        ),
        (
            quote!(
                fn Run(&mut self) {}
            ),
            "Run",
            "run",
            "",
        ),
        (
            quote!(
                fn pre_run(&mut self, n: u8) {}
            ),
            "pre_run",
            "prerun",
            "",
        ),
        (
            quote!(
                fn prernu(&mut self) {}
            ),
            "prernu",
            "prerun",
            HELPER,
        ),
        (
            quote!(
                fn on_finished(&mut self) {}
            ),
            "on_finished",
            "onfinish",
            HELPER,
        ),
    ] {
        assert_eq!(about(function), format!("unknown hook `{name}`; did you mean `{meant}`?{helper}"));
    }
}

#[test]
fn helpers_are_left_alone() {
    expanded(quote! {
        impl W {
            fn run(&mut self) {}
            fn result(&mut self) -> u8 { 1 }
            fn run_(&mut self, item: u8) {}
            fn results(&mut self) {}
            fn rerun(&mut self) {}
            fn prepare(&mut self) {}
            fn postruns(&mut self, n: u8) {}
            fn preruns() {}
        }
    });
}

#[test]
fn an_impl_that_holds_no_hooks_is_told_so() {
    let complaint = |arguments, item| {
        let (_, complaints) = expand(arguments, item);
        assert_eq!(complaints.len(), 1, "{complaints:#?}");
        complaints.concat()
    };
    assert!(
        complaint(quote!(), quote!(impl W { fn helper(&self) {} }))
            .contains("a process needs the hook `run`")
    );
    assert_eq!(
        complaint(quote!(), quote!(impl W { fn r_u_n(&mut self) {} })),
        "unknown hook `r_u_n`; did you mean `run`?"
    );
    assert!(
        complaint(quote!(), quote!(impl Hooks for W<u8> { fn run(&mut self) {} }))
            .contains("`#[skprocess] impl W<u8> { … }`")
    );
    assert!(
        complaint(
            quote!(),
            quote!(
                impl<'a> W<'a> {
                    fn run(&mut self) {}
                }
            )
        )
        .contains("a process cannot borrow")
    );
    assert!(complaint(quote!(), quote!(impl [u8] { fn run(&mut self) {} })).contains("wrap this type"));
    assert_eq!(
        complaint(quote!(lives = 3), quote!(impl W { fn run(&mut self) {} })),
        "`lives` configures the process; move it to the `#[skprocess]` on the struct"
    );
}
