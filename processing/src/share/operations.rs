//! Every operation in two forms: one that panics, one that returns the error.

/// Writes methods from their `try_` form.
macro_rules! operations {
    ($(
        $(#[$meta:meta])*
        fn $name:ident | $try_name:ident $([$($generics:tt)*])? (&$self:ident $(, $arg:ident: $type:ty)* $(,)?) $(-> $result:ty)? $(where { $($bounds:tt)* })? $body:block
    )*) => {$(
        $(#[$meta])*
        ///
        /// # Panics
        ///
        #[doc = concat!("With a [`ShareError`](crate::ShareError) as the payload, where [`", stringify!($try_name), "`](Self::", stringify!($try_name), ") returns it.")]
        #[track_caller]
        pub fn $name $(<$($generics)*>)? (&$self $(, $arg: $type)*) $(-> $result)? $(where $($bounds)*)? {
            $self.$try_name($($arg),*).unwrap_or_else($crate::share::error::raise)
        }

        #[doc = concat!("Like [`", stringify!($name), "`](Self::", stringify!($name), "), but returns the error.")]
        ///
        /// # Errors
        ///
        /// When the share is stopped, full or corrupt, or a value cannot be encoded.
        pub fn $try_name $(<$($generics)*>)? (&$self $(, $arg: $type)*) -> Result<$crate::share::operations::or_unit!($($result)?), $crate::share::error::ShareError>
        $(where $($bounds)*)?
        $body
    )*};
}

macro_rules! or_unit {
    () => {
        ()
    };
    ($type:ty) => {
        $type
    };
}

pub(crate) use {operations, or_unit};
