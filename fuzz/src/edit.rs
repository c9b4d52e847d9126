//! Changes to a header field, as somebody between client and server would make them.

/// Changes `field` as `edits` say, which are separated by semicolons:
///
/// - `name=value` gives a parameter another value, or adds it; `name=` removes it.
/// - `@` with two octets of a position and one more puts that octet there.
/// - `~` with two octets of a position flips the lowest bit there, which makes another digit of most digits.
/// - `|` with two octets of a position cuts the field off there.
/// - `^` turns all letters outside of quotes into capitals, which means the same.
#[must_use]
pub fn edit(field: &str, edits: &[u8]) -> Vec<u8> {
    let mut field = field.as_bytes().to_vec();
    for edit in edits.split(|octet| *octet == b';') {
        match *edit {
            [b'@', high, low, octet] => put(&mut field, [high, low], |_| octet),
            [b'~', high, low] => put(&mut field, [high, low], |octet| octet ^ 1),
            [b'|', high, low] => field.truncate(position(&field, [high, low])),
            [b'^'] => capitals(&mut field),
            _ => {
                if let Some(equals) = edit.iter().position(|octet| *octet == b'=') {
                    let (name, value) = edit.split_at(equals);
                    field = set(&field, name, &value[1..]);
                }
            }
        }
    }
    field
}

fn position(field: &[u8], at: [u8; 2]) -> usize {
    usize::from(u16::from_be_bytes(at)) % field.len().max(1)
}

fn put(field: &mut [u8], at: [u8; 2], change: impl Fn(u8) -> u8) {
    let position = position(field, at);
    if let Some(octet) = field.get_mut(position) {
        *octet = change(*octet);
    }
}

fn capitals(field: &mut [u8]) {
    let mut quoted = false;
    for octet in field {
        if *octet == b'"' {
            quoted = !quoted;
        } else if !quoted {
            octet.make_ascii_uppercase();
        }
    }
}

/// Puts `value` in the place of the parameter's, up to the comma. None of the values that are edited holds one.
fn set(field: &[u8], name: &[u8], value: &[u8]) -> Vec<u8> {
    let (scheme, params) = match field.iter().position(|octet| *octet == b' ') {
        Some(space) if field.starts_with(b"Mutual ") => field.split_at(space + 1),
        _ => field.split_at(0),
    };
    let param = [name, b"=", value].concat();
    let mut params: Vec<_> = params.split(|octet| *octet == b',').map(<[u8]>::trim_ascii).collect();
    let place = params.iter().position(|old| old.strip_prefix(name).is_some_and(|rest| rest.starts_with(b"=")));
    match place {
        Some(place) if value.is_empty() => drop(params.remove(place)),
        Some(place) => params[place] = &param,
        None => params.push(&param),
    }
    [scheme, &params.join(&b", "[..])].concat()
}
