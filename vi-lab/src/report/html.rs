//! Pieces of HTML.

/// Text as HTML.
pub(crate) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            c => out.push(c),
        }
    }
    out
}

/// A table; cells are HTML, the first column is a row's heading.
pub(crate) fn table(header: &[String], rows: &[Vec<String>]) -> String {
    let rows: Vec<(Vec<String>, String)> = rows.iter().map(|r| (r.clone(), String::new())).collect();
    table_with_notes(header, &rows)
}

/// A table whose rows may have a line of text of their own below them.
pub(crate) fn table_with_notes(header: &[String], rows: &[(Vec<String>, String)]) -> String {
    let mut out = String::from("<div class=\"scroll\"><table><thead><tr>");
    for cell in header {
        out += &format!("<th scope=\"col\">{cell}</th>");
    }
    out += "</tr></thead><tbody>";
    for (row, note) in rows {
        out += if note.is_empty() { "<tr>" } else { "<tr class=\"noted\">" };
        for (i, cell) in row.iter().enumerate() {
            out +=
                &if i == 0 { format!("<th scope=\"row\">{cell}</th>") } else { format!("<td>{cell}</td>") };
        }
        out += "</tr>";
        if !note.is_empty() {
            out += &format!("<tr class=\"ended\"><td colspan=\"{}\">{note}</td></tr>", header.len());
        }
    }
    out + "</tbody></table></div>"
}

/// A section with a heading.
pub(crate) fn section(heading: &str, body: &str) -> String {
    format!("<section><h2>{}</h2>{body}</section>", escape(heading))
}

/// What opens at a click.
pub(crate) fn details(summary: &str, body: &str) -> String {
    format!("<details><summary>{}</summary>{body}</details>", escape(summary))
}

/// A method's name with its colour.
pub(crate) fn chip(name: &str, colour: &str) -> String {
    format!(
        "<span class=\"chip\"><span class=\"dot\" style=\"background:{colour}\"></span>{}</span>",
        escape(name)
    )
}

#[cfg(test)]
mod tests {
    #[test]
    fn names_cannot_break_out_of_the_page() {
        assert_eq!(super::escape("<script>\"a\" & b"), "&lt;script&gt;&quot;a&quot; &amp; b");
    }
}
