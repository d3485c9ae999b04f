//! Parts of a program in other processes.
