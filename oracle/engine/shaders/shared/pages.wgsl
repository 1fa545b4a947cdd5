// Which tokens a row sees, and in which slots they lie. The importing kernel binds `rows` and `pages`.

// Slots of a page.
override PAGE: u32 = 16u;

// The tokens that a row sees: `count` of its sequence from `first` on. The sequence's pages are listed from `listed` on.
struct Seen {
    listed: u32,
    first: u32,
    count: u32,
}

// What a row sees through a window of so many tokens (0 for all), with so many pages for each sequence.
fn seen(row: u32, window: u32, longest: u32) -> Seen {
    let end = rows[4u * row + 1u] + 1u;
    let first = select(0u, end - min(end, window), window != 0u);
    return Seen(rows[4u * row + 3u] * longest, first, end - first);
}

// The slot of the i-th token that a row sees.
fn slot(tokens: Seen, i: u32) -> u32 {
    let token = tokens.first + i;
    return pages[tokens.listed + token / PAGE] * PAGE + token % PAGE;
}
