//! Shotover is a library; this is the program. Its transforms and sources are registered by linking them.

fn main() {
    shotover::runner::Shotover::new().run_block();
}
