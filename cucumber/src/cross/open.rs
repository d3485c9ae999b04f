//! What the system can hand to another process while it is open: what has a descriptor, or a handle or socket where those
//! are different things.

use std::any::Any;
use std::io;

/// Something that is open.
pub(super) trait Open: Sized {
    /// A hold on it that no longer says what it is.
    type Hold: Any + Send;

    /// Another hold on it.
    fn hold(&self) -> io::Result<Self::Hold>;
    /// One more on the same.
    fn hold_again(hold: &Self::Hold) -> io::Result<Self::Hold>;
    fn of(hold: Self::Hold) -> Self;
}

#[cfg(unix)]
mod descriptors {
    use std::io;
    use std::os::fd::{AsFd, OwnedFd};

    impl<T: AsFd + From<OwnedFd>> super::Open for T {
        type Hold = OwnedFd;

        fn hold(&self) -> io::Result<OwnedFd> {
            self.as_fd().try_clone_to_owned()
        }

        fn hold_again(hold: &OwnedFd) -> io::Result<OwnedFd> {
            hold.try_clone()
        }

        fn of(hold: OwnedFd) -> T {
            T::from(hold)
        }
    }
}

#[cfg(windows)]
mod handles {
    use std::fs::File;
    use std::io::{self, PipeReader, PipeWriter};
    use std::net::{TcpListener, TcpStream, UdpSocket};
    use std::os::windows::io::{AsHandle as _, AsSocket as _, OwnedHandle, OwnedSocket};
    use std::process::{ChildStderr, ChildStdin, ChildStdout};

    macro_rules! open {
        ($($hold:ty, $borrow:ident: $($open:ty)*;)*) => {$($(
            impl super::Open for $open {
                type Hold = $hold;

                fn hold(&self) -> io::Result<$hold> {
                    self.$borrow().try_clone_to_owned()
                }

                fn hold_again(hold: &$hold) -> io::Result<$hold> {
                    hold.try_clone()
                }

                fn of(hold: $hold) -> $open {
                    hold.into()
                }
            }
        )*)*};
    }

    open! {
        OwnedHandle, as_handle: File OwnedHandle PipeReader PipeWriter ChildStdin ChildStdout ChildStderr;
        OwnedSocket, as_socket: OwnedSocket TcpStream TcpListener UdpSocket;
    }
}
