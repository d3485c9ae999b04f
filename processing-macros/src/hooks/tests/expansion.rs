use super::*;

fn contains(text: &str, part: TokenStream) {
    let part: String = part.to_string().split_whitespace().collect();
    assert!(text.contains(&part), "{part} is not in {text}");
}

#[test]
fn the_impl_stays_as_written() {
    let written = quote! {
        impl W {
            const LIMIT: u8 = 3;
            /// Does it.
            pub fn run(&mut self) {}
            fn helper(self: Box<Self>, n: u8) -> u8 { n }
            unsafe fn raw() {}
        }
    };
    let expansion = expanded(written.clone());
    assert!(expansion.starts_with(&written.to_string().split_whitespace().collect::<String>()));
}

#[test]
fn only_hooks_that_exist_are_called() {
    let expansion = expanded(quote!(impl W { fn run(&mut self) {} }));
    contains(
        &expansion,
        quote!(
            type Output = ();
        ),
    );
    contains(
        &expansion,
        quote! {
            fn __run(&mut self) -> __rt::Outcome<'_, ()> {
                __rt::Outcome::Done({ Self::run(self); __rt::core::result::Result::Ok(()) })
            }
        },
    );
    for absent in ["__prerun", "__postrun", "__onfinish", "__result", "__error", "settling"] {
        assert!(!expansion.contains(absent), "{absent} is in {expansion}");
    }
}

#[test]
fn a_returned_error_is_settled() {
    let expansion = expanded(quote!(impl W { fn run(&mut self) -> anyhow::Result<()> { Ok(()) } }));
    contains(
        &expansion,
        quote!(
            use __rt::settling::*;
        ),
    );
    contains(
        &expansion,
        quote! {
            __rt::Outcome::Done({
                let returned = Self::run(self);
                (&&&&__rt::Returned(&returned)).settling().settle(returned)
            })
        },
    );
}

#[test]
fn an_async_hook_is_awaited() {
    let expansion = expanded(quote! {
        impl W {
            async fn run(&mut self) {}
            async fn postrun(&mut self) -> Result<(), E> { Ok(()) }
            async fn error(&mut self, error: ProcessError) -> Result<u8, ProcessError> { Err(error) }
        }
    });
    let run = quote!(__rt::async_hook(async move {
        Self::run(self).await;
        __rt::core::result::Result::Ok(())
    }));
    contains(&expansion, run);
    contains(
        &expansion,
        quote! {
            async move {
                let returned = Self::postrun(self).await;
                (&&&&__rt::Returned(&returned)).settling().settle(returned)
            }
        },
    );
    contains(&expansion, quote!(= Self::error(self, error).await; __rt::core::result::Result::Ok(returned)));
}

#[test]
fn output_is_what_result_holds() {
    let output = |result: TokenStream| {
        let expansion = expanded(quote!(impl W { fn run(&mut self) {} #result }));
        let (_, output) = expansion.split_once("typeOutput=").unwrap();
        output[..output.find(';').unwrap()].to_owned()
    };
    assert_eq!(
        output(quote!(
            fn result(&mut self) {}
        )),
        "()"
    );
    assert_eq!(
        output(quote!(
            fn result(&self) -> Vec<u8> {
                vec![]
            }
        )),
        "Vec<u8>"
    );
    assert_eq!(
        output(quote!(
            fn result(&mut self) -> Result<Vec<u8>, E> {
                Ok(vec![])
            }
        )),
        "Vec<u8>"
    );
    assert_eq!(
        output(quote!(
            fn result(&mut self) -> anyhow::Result<Self> {
                todo!()
            }
        )),
        "Self"
    );
    assert_eq!(
        output(quote!(
            fn result(&mut self) -> fmt::Result {
                Ok(())
            }
        )),
        "<fmt::Resultas__rt::Fallible>::Value"
    );
    assert_eq!(
        output(quote!(
            fn result(&mut self) -> <T as U>::Result {
                Ok(())
            }
        )),
        "<TasU>::Result"
    );
}

#[test]
fn conditions_go_with_their_hook() {
    let expansion = expanded(quote! {
        impl W {
            fn run(&mut self) {}
            #[cfg(unix)] fn result(&mut self) -> u8 { 1 }
            #[cfg(not(unix))] fn result(&mut self) -> u16 { 1 }
            #[cfg(feature = "a")] #[cfg(feature = "b")] fn new(n: u8) -> Self { Self { n } }
        }
    });
    contains(
        &expansion,
        quote!(
            #[cfg(unix)]
            type Output = u8;
            #[cfg(not(unix))]
            type Output = u16;
        ),
    );
    contains(
        &expansion,
        quote!(
            #[cfg(not(any(all(unix), all(not(unix)))))]
            type Output = ();
        ),
    );
    contains(&expansion, quote!(#[cfg(unix)] fn __result));
    contains(
        &expansion,
        quote!(&[
            __rt::Phase::Run,
            #[cfg(unix)]
            __rt::Phase::Result,
            #[cfg(not(unix))]
            __rt::Phase::Result
        ]),
    );
    contains(
        &expansion,
        quote!(#[cfg(feature = "a")] #[cfg(feature = "b")] #[automatically_derived] impl __rt::FromItem<u8> for W),
    );
    contains(
        &expansion,
        quote!(#[cfg(not(all(feature = "a", feature = "b")))] #[automatically_derived] impl<__Item>),
    );
}

#[test]
fn new_makes_a_process_of_an_item() {
    let from = |new: TokenStream| {
        let expansion = expanded(quote!(impl W { fn run(&mut self) {} #new }));
        let (head, _) = expansion.split_once("__rt::FromItem<").unwrap();
        let head = head.rsplit_once("impl").unwrap().1.to_owned();
        let (_, item) = expansion.split_once("__rt::FromItem<").unwrap();
        head + &item[..item.find(">forW").unwrap()]
    };
    assert_eq!(
        from(quote!(
            fn new(n: u8) -> Self {
                W
            }
        )),
        "u8"
    );
    assert_eq!(
        from(quote!(
            const fn new(n: u8, m: u16) -> W {
                W
            }
        )),
        "(u8,u16)"
    );
    assert_eq!(
        from(quote!(
            fn new() -> Self {
                W
            }
        )),
        "()"
    );
    assert_eq!(
        from(quote!(
            fn new<T: Copy>(n: T) -> Self {
                W
            }
        )),
        "<T:Copy>T"
    );
    assert_eq!(
        from(quote!(
            fn new(n: impl Into<String>) -> Self {
                W
            }
        )),
        "<__Argument0:Into<String>>__Argument0"
    );
    // Only helpers that happen to have this name:
    for helper in [
        quote!(
            fn new(n: u8) -> Option<Self> {
                None
            }
        ),
        quote!(
            fn new(&self) -> Self {
                W
            }
        ),
        quote!(
            async fn new(n: u8) -> Self {
                W
            }
        ),
        quote!(
            unsafe fn new(n: u8) -> Self {
                W
            }
        ),
        quote!(),
    ] {
        assert_eq!(from(helper), "<__Item>__Item");
    }
}

#[test]
fn generics_are_carried_over() {
    let expansion = expanded(quote!(
        impl<T: Copy, const N: usize> W<T, N>
        where
            T: Send,
        {
            fn run(&mut self) {}
        }
    ));
    contains(
        &expansion,
        quote! {
            impl<T: Copy, const N: usize> __rt::Skprocess for W<T, N> where T: Send, Self: __rt::ProcessSpec
        },
    );
    contains(
        &expansion,
        quote! {
            impl<T: Copy, const N: usize, __Item> __rt::FromItem<__Item> for W<T, N>
                where T: Send, Self: __rt::SingleField<__Item>
        },
    );
}

#[test]
fn a_type_from_a_macro_is_seen_through() {
    // A `$t:ty` of `macro_rules!` arrives in a group without delimiters.
    let group = |tokens| proc_macro2::Group::new(proc_macro2::Delimiter::None, tokens);
    let (this, fallible) = (group(quote!(W)), group(quote!(Result<u8, E>)));
    let expansion = expanded(quote! {
        impl #this {
            fn new(n: u8) -> #this { todo!() }
            fn run(&mut self) {}
            fn result(&mut self) -> #fallible { Ok(1) }
        }
    });
    contains(
        &expansion,
        quote!(
            type Output = u8;
        ),
    );
    contains(&expansion, quote!(__rt::FromItem<u8>));
}
