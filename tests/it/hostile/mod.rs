//! Plugins that try to break out, against a real daemon with ordinary jobs beside them. Whatever they do, the daemon answers, the
//! others finish, the reason is told by its right name, and afterwards nothing is missing.
//!
//! A test shares one daemon among many of them: what one leaves behind would hurt the next.

mod endings;
mod files;
mod floods;
mod handles;
mod loading;
mod network;
mod yard;
