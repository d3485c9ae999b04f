//! Guesses what a misspelled word was meant to be.

/// Letters only, in lower case: `__Pre_Run` and `prerun` are the same word to a reader.
pub(crate) fn letters(word: &str) -> String {
    word.chars().filter(|c| *c != '_').flat_map(char::to_lowercase).collect()
}

/// The candidate that `word` was probably meant to be.
pub(crate) fn closest<'c>(word: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
    let word = letters(word);
    let tolerance = if word.len() < 8 { 1 } else { 2 };
    candidates
        .into_iter()
        .map(|candidate| (distance(&word, &letters(candidate)), candidate))
        .filter(|(distance, _)| *distance <= tolerance)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// `unknown …` with the best way out: the word that was meant, else all there are.
pub(crate) fn unknown(kind: &str, word: &str, candidates: &[&str]) -> String {
    match closest(word, candidates.iter().copied()) {
        Some(meant) => format!("unknown {kind} `{word}`; did you mean `{meant}`?"),
        None => format!("unknown {kind} `{word}`; there are {}", listed(candidates)),
    }
}

/// `` `a`, `b` and `c` ``
pub(crate) fn listed(words: &[&str]) -> String {
    let quoted: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
    match quoted.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        _ => quoted.concat(),
    }
}

/// How many letters have to be added, dropped, replaced or swapped with their neighbour.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut rows = vec![vec![0; b.len() + 1]; a.len() + 1];
    for (i, row) in rows.iter_mut().enumerate() {
        row[0] = i;
    }
    for (j, cell) in rows[0].iter_mut().enumerate() {
        *cell = j;
    }
    for i in 1..=a.len() {
        for j in 1..=b.len() {
            let replaced = rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut best = replaced.min(rows[i - 1][j] + 1).min(rows[i][j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(rows[i - 2][j - 2] + 1);
            }
            rows[i][j] = best;
        }
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spelling_is_compared_by_letters() {
        assert_eq!(letters("__Pre_Run__"), "prerun");
        assert_eq!(closest("on_finished", ["prerun", "onfinish"]), Some("onfinish"));
        assert_eq!(closest("prernu", ["prerun", "postrun"]), Some("prerun"));
        assert_eq!(closest("prepare", ["prerun", "postrun"]), None);
    }

    #[test]
    fn an_unknown_word_comes_with_a_way_out() {
        assert_eq!(
            unknown("argument", "live", &["lives", "runs"]),
            "unknown argument `live`; did you mean `lives`?"
        );
        assert_eq!(
            unknown("argument", "colour", &["lives", "runs"]),
            "unknown argument `colour`; there are `lives` and `runs`"
        );
    }
}
