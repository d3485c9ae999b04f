use quote::quote;

use super::*;

fn dense(tokens: &TokenStream) -> String {
    tokens.to_string().split_whitespace().collect()
}

/// The one thing that is wrong.
fn complaint(expansion: TokenStream) -> String {
    let expansion = expansion.to_string();
    let (_, message) =
        expansion.split_once("compile_error").unwrap_or_else(|| panic!("no complaint: {expansion}"));
    assert!(!message.contains("compile_error"), "more than one: {message}");
    message.to_owned()
}

#[test]
fn a_handle_has_the_fields_of_its_type() {
    let expansion = derive(quote! {
        pub struct State<T> {
            pub counter: u64,
            items: Vec<T>,
            #[shareable(value)]
            theme: Theme,
            #[shareable(skip)]
            scratch: Buffer<T>,
        }
    });
    let expansion = dense(&expansion);
    assert!(!expansion.contains("compile_error"), "{expansion}");
    for part in [
        "pubstructStateHandle<T>",
        "pubcounter:<u64as::processing::__private::Shareable>::Handle",
        "items:<Vec<T>as::processing::__private::Shareable>::Handle",
        "theme:::processing::__private::share::ValueHandle<Theme>",
        "T:'static",
        "Vec<T>:::processing::__private::Shareable",
        "Buffer<T>:::processing::__private::core::default::Default",
    ] {
        assert!(expansion.contains(part), "`{part}` is missing in {expansion}");
    }
    assert!(!expansion.contains("scratch:<"));
}

#[test]
fn expansions_are_items() {
    for item in [
        quote!(
            struct Unit;
        ),
        quote!(
            struct Tuple(u8, #[shareable(skip)] u16, Vec<String>);
        ),
        quote!(
            struct Empty {}
        ),
        quote!(
            enum Phase {
                Idle,
                Running { done: u64, note: String },
                Over(u8, #[shareable(value)] Theme),
            }
        ),
    ] {
        let expansion = derive(item);
        assert!(!expansion.to_string().contains("compile_error"), "{expansion}");
        syn::parse2::<syn::File>(expansion).unwrap();
    }
}

#[test]
fn what_cannot_be_shared_is_told() {
    assert!(
        complaint(derive(quote!(
            struct State<'a> {
                text: &'a str,
            }
        )))
        .contains("cannot borrow")
    );
    assert!(complaint(derive(quote!(union State { a: u8 }))).contains("enum"));
    assert!(
        complaint(derive(quote!(
            enum State {}
        )))
        .contains("without variants")
    );
    assert!(
        complaint(derive(quote!(
            struct State {
                #[shareable(valeu)]
                a: u8,
            }
        )))
        .contains("did you mean `value`")
    );
    assert!(
        complaint(derive(quote!(
            struct State {
                #[shareable(value, skip)]
                a: u8,
            }
        )))
        .contains("one way")
    );
    assert!(
        complaint(derive(quote!(
            #[shareable(name = X)]
            struct State {
                a: u8,
            }
        )))
        .contains("unknown argument")
    );
}

#[test]
fn methods_go_through_the_handle() {
    let expansion = attribute(
        quote!(),
        quote! {
            impl<T: Element> bank::Account<T> {
                pub fn deposit(&mut self, (amount, _): (i64, u8)) -> Result<Self, Error> { todo!() }
                fn total(&self) -> i64 { 0 }
                fn new() -> Self { todo!() }
                fn into_inner(self) -> i64 { 0 }
                #[shareable(skip)]
                fn text(&self) -> &str { "" }
            }
        },
    );
    let expansion = dense(&expansion);
    assert!(!expansion.contains("compile_error"), "{expansion}");
    for part in [
        "impl<T:Element>bank::AccountHandle<T>{",
        "pubfndeposit(&self,argument1:(i64,u8))->Result<<bank::Account<T>>,Error>{",
        "|plain:&mutbank::Account<T>|<bank::Account<T>>::deposit(plain,argument1)",
        "fntotal(&self,)->i64{",
    ] {
        assert!(expansion.contains(part), "`{part}` is missing in {expansion}");
    }
    assert!(!expansion.contains("shareable(skip)"));
    let handle = expansion.split_once("AccountHandle").unwrap().1;
    assert!(!handle.contains("fnnew") && !handle.contains("into_inner") && !handle.contains("fntext"));
}

#[test]
fn methods_that_cannot_be_forwarded_are_told() {
    let about = |item| complaint(attribute(quote!(), item));
    assert!(about(quote!(impl State { fn name(&self) -> &str { "" } })).contains("owned"));
    assert!(about(quote!(impl State { fn name(&self) -> Option<Cow<'_, str>> { None } })).contains("owned"));
    assert!(about(quote!(impl State { async fn wait(&self) {} })).contains("async"));
    assert!(about(quote!(impl Display for State { })).contains("without a trait"));
    assert!(
        about(quote!(
            struct State {}
        ))
        .contains("derive(Shareable)")
    );
    assert!(
        about(quote!(
            fn state() {}
        ))
        .contains("impl")
    );
    let fine = attribute(quote!(), quote!(impl State { fn name(&self) -> &'static str { "" } }));
    assert!(!fine.to_string().contains("compile_error"));
}
