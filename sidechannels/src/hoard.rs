//! An allocator that remembers every block and gives none back, so that what was left in them can be looked at.

use std::alloc::{GlobalAlloc, Layout, System};
use std::backtrace::Backtrace;
use std::ptr;
use std::slice;
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicUsize, Ordering};

/// Set as the `#[global_allocator]`. It is for programs of one thread.
pub struct Hoard;

/// Whether blocks that are allocated now are remembered.
static REMEMBERS: AtomicBool = AtomicBool::new(false);
/// The last block that was remembered.
static LAST: AtomicPtr<Header> = AtomicPtr::new(ptr::null_mut());
/// How many blocks were remembered.
static COUNT: AtomicUsize = AtomicUsize::new(0);
/// The block whose allocation is shown.
static SHOWN: AtomicUsize = AtomicUsize::new(0);

/// Lies in front of each block.
#[repr(C)]
struct Header {
    before: *mut Header,
    size: usize,
    /// 0 for a block that is not remembered.
    number: usize,
    freed: bool,
}

/// Room for the header.
const ROOM: usize = 64;

/// The layout of a block with its header, and where the block begins.
fn with_header(layout: Layout) -> (Layout, usize) {
    let room = layout.align().max(ROOM);
    let whole = Layout::from_size_align(layout.size().saturating_add(room), room);
    // What is too large for a layout cannot be had either.
    let whole = whole.unwrap_or_else(|_| std::process::abort());
    (whole, room)
}

/// The header of a block, which is aligned for it: blocks begin at multiples of `ROOM`.
unsafe fn header_of(block: *mut u8) -> *mut Header {
    // SAFETY: the caller has a block of this allocator, with `ROOM` bytes in front.
    unsafe { block.sub(ROOM) }.cast()
}

// SAFETY: every block comes from the system's allocator, behind a header that is its own.
unsafe impl GlobalAlloc for Hoard {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let (whole, room) = with_header(layout);
        // Zeroed, so that nothing is found in it that was there before.
        // SAFETY: the size is at least that of the header.
        let start = unsafe { System.alloc_zeroed(whole) };
        if start.is_null() {
            return start;
        }
        let remembers = REMEMBERS.load(Ordering::Relaxed);
        let number = if remembers {
            COUNT.fetch_add(1, Ordering::Relaxed) + 1
        } else {
            0
        };
        let header = Header {
            before: LAST.load(Ordering::Relaxed),
            size: layout.size(),
            number,
            freed: false,
        };
        // SAFETY: `room` bytes lie in front of the block, of which the header has the last.
        let block = unsafe {
            let block = start.add(room);
            header_of(block).write(header);
            block
        };
        if remembers {
            // SAFETY: it is a block, with a header.
            LAST.store(unsafe { header_of(block) }, Ordering::Relaxed);
            show(number, layout.size());
        }
        block
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        let (whole, room) = with_header(layout);
        // SAFETY: `alloc` put a header there, and the block begins `room` bytes behind what the system gave.
        unsafe {
            let header = header_of(block);
            if (*header).number == 0 {
                System.dealloc(block.sub(room), whole);
            } else {
                (*header).freed = true;
            }
        }
    }
}

/// Shows where a block is allocated, if somebody asked for it.
fn show(number: usize, size: usize) {
    if SHOWN.load(Ordering::Relaxed) == number {
        forgetfully(|| {
            let backtrace = Backtrace::force_capture();
            eprintln!("block {number} of {size} bytes:\n{backtrace}");
        });
    }
}

/// Asks where the block of this number is allocated.
pub fn show_block(number: usize) {
    SHOWN.store(number, Ordering::Relaxed);
}

/// Remembers what is allocated meanwhile.
pub fn remembering<T>(what: impl FnOnce() -> T) -> T {
    switching(true, what)
}

/// Remembers nothing of what is allocated meanwhile.
pub fn forgetfully<T>(what: impl FnOnce() -> T) -> T {
    switching(false, what)
}

fn switching<T>(remembers: bool, what: impl FnOnce() -> T) -> T {
    let before = REMEMBERS.swap(remembers, Ordering::Relaxed);
    let result = what();
    REMEMBERS.store(before, Ordering::Relaxed);
    result
}

/// Forgets every block so far.
pub fn forget() {
    LAST.store(ptr::null_mut(), Ordering::Relaxed);
}

/// A block that was remembered.
pub struct Block {
    pub number: usize,
    pub freed: bool,
    pub content: &'static [u8],
}

/// All blocks that were remembered, the last first.
pub fn blocks() -> impl Iterator<Item = Block> {
    let mut next = LAST.load(Ordering::Relaxed);
    std::iter::from_fn(move || {
        // SAFETY: remembered blocks are never given back, and nobody writes them while this program of one thread
        // looks at them.
        unsafe {
            let header = next.as_ref()?;
            next = header.before;
            let content = ptr::from_ref(header).cast::<u8>().add(ROOM);
            Some(Block {
                number: header.number,
                freed: header.freed,
                content: slice::from_raw_parts(content, header.size),
            })
        }
    })
}
