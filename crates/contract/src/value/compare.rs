//! Equality and order of values, as CEL defines them at run time.
//!
//! Numbers of the three types compare by what they count; values of different types are unequal
//! (<https://github.com/google/cel-spec/blob/master/doc/langdef.md#equality>, "heterogeneous equality").

use std::cmp::Ordering;

use super::{List, Map, Value};

/// Whether two values are equal. `charge` is told of every pair that is looked at and may stop the comparison.
///
/// # Errors
/// What `charge` answers.
pub fn equal<E>(
    a: &Value<'_>,
    b: &Value<'_>,
    charge: &mut impl FnMut(usize) -> Result<(), E>,
) -> Result<bool, E> {
    charge(1)?;
    Ok(match (a, b) {
        (Value::Null, Value::Null) => true,
        (Value::Bool(a), Value::Bool(b)) => a == b,
        (Value::Text(a), Value::Text(b)) => {
            charge(a.as_str().len().min(b.as_str().len()) / 64)?;
            a.as_str() == b.as_str()
        }
        (Value::Bytes(a), Value::Bytes(b)) => {
            charge(a.as_slice().len().min(b.as_slice().len()) / 64)?;
            a.as_slice() == b.as_slice()
        }
        (Value::Timestamp(a), Value::Timestamp(b)) => a == b,
        (Value::Duration(a), Value::Duration(b)) => a == b,
        (Value::Type(a), Value::Type(b)) => a == b,
        (Value::List(a), Value::List(b)) => return equal_lists(a, b, charge),
        (Value::Map(a), Value::Map(b)) => return equal_maps(a, b, charge),
        _ => numbers(a, b).is_some_and(|order| order == Some(Ordering::Equal)),
    })
}

fn equal_lists<E>(
    a: &List<'_>,
    b: &List<'_>,
    charge: &mut impl FnMut(usize) -> Result<(), E>,
) -> Result<bool, E> {
    if a.len() != b.len() {
        return Ok(false);
    }
    for index in 0..a.len() {
        if let (Some(a), Some(b)) = (a.get(index), b.get(index))
            && !equal(&a, &b, charge)?
        {
            return Ok(false);
        }
    }
    Ok(true)
}

fn equal_maps<E>(
    a: &Map<'_>,
    b: &Map<'_>,
    charge: &mut impl FnMut(usize) -> Result<(), E>,
) -> Result<bool, E> {
    if a.len() != b.len() {
        return Ok(false);
    }
    charge(a.len())?;
    for (key, value) in a.entries() {
        match b.get(&key) {
            Some(other) if equal(&value, &other, charge)? => {}
            _ => return Ok(false),
        }
    }
    Ok(true)
}

/// The order of two values; `None` if they have none, as values of different types or a NaN.
pub fn compare(a: &Value<'_>, b: &Value<'_>) -> Option<Ordering> {
    match (a, b) {
        (Value::Bool(a), Value::Bool(b)) => Some(a.cmp(b)),
        (Value::Text(a), Value::Text(b)) => Some(a.as_str().cmp(b.as_str())),
        (Value::Bytes(a), Value::Bytes(b)) => Some(a.as_slice().cmp(b.as_slice())),
        (Value::Timestamp(a), Value::Timestamp(b)) => Some(a.cmp(b)),
        (Value::Duration(a), Value::Duration(b)) => Some(a.cmp(b)),
        _ => numbers(a, b).flatten(),
    }
}

/// The order of two numbers, `Some(None)` with a NaN, `None` if they are not both numbers.
fn numbers(a: &Value<'_>, b: &Value<'_>) -> Option<Option<Ordering>> {
    Some(match (a, b) {
        (Value::Double(a), Value::Double(b)) => a.partial_cmp(b),
        (Value::Double(a), b) => integer(b).map(|b| double_with_integer(*a, b))?,
        (a, Value::Double(b)) => integer(a).map(|a| double_with_integer(*b, a).map(Ordering::reverse))?,
        (a, b) => Some(integer(a)?.cmp(&integer(b)?)),
    })
}

const fn integer(value: &Value<'_>) -> Option<i128> {
    match value {
        Value::Int(number) => Some(*number as i128),
        Value::Uint(number) => Some(*number as i128),
        _ => None,
    }
}

/// Exact, where a conversion of the integer would round.
#[expect(
    clippy::cast_possible_truncation,
    reason = "within 2^66 by the test before; the fraction is looked at"
)]
fn double_with_integer(double: f64, integer: i128) -> Option<Ordering> {
    const BEYOND: f64 = 73_786_976_294_838_206_464.0;
    if double.is_nan() {
        return None;
    }
    if double >= BEYOND {
        return Some(Ordering::Greater);
    }
    if double <= -BEYOND {
        return Some(Ordering::Less);
    }
    let floor = double.floor();
    let order = (floor as i128).cmp(&integer);
    Some(if order.is_eq() && double > floor {
        Ordering::Greater
    } else {
        order
    })
}

#[cfg(test)]
mod tests {
    use super::super::Key;
    use super::*;

    #[test]
    fn numbers_compare_by_what_they_count() {
        let exact = 9_007_199_254_740_993_i64;
        assert_eq!(
            compare(&Value::Double(9_007_199_254_740_992.0), &Value::Int(exact)),
            Some(Ordering::Less)
        );
        assert_eq!(
            compare(&Value::Uint(u64::MAX), &Value::Int(-1)),
            Some(Ordering::Greater)
        );
        assert_eq!(compare(&Value::Double(f64::NAN), &Value::Int(1)), None);
        assert_eq!(
            compare(&Value::Double(f64::INFINITY), &Value::Uint(u64::MAX)),
            Some(Ordering::Greater)
        );
        assert_eq!(
            compare(&Value::Double(-1.5), &Value::Int(-2)),
            Some(Ordering::Greater)
        );
        assert_eq!(compare(&Value::Int(1), &Value::text("1")), None);
    }

    #[test]
    fn keys_of_a_map_are_found_whichever_number_type_they_have() {
        let map = Map::of(vec![(Key::Uint(1), Value::text("one"))]);
        assert!(map.get(&Key::Int(1)).is_some());
        let many = Map::of((0..100).map(|n| (Key::Int(n % 50), Value::Int(n))).collect());
        assert!(
            matches!(many.get(&Key::Int(7)), Some(Value::Int(57))),
            "the later of two holds"
        );
        assert!(many.get(&Key::Int(50)).is_none());
    }

    #[test]
    fn a_comparison_of_large_values_is_charged_and_may_be_stopped() {
        let list = Value::list((0..1000).map(Value::Int).collect());
        let mut left = 100_usize;
        let stopped = equal(&list, &list, &mut |steps| {
            left.checked_sub(steps).map(|rest| left = rest).ok_or(())
        });
        assert!(stopped.is_err());
        assert_eq!(equal::<()>(&list, &list, &mut |_steps| Ok(())), Ok(true));
    }
}
