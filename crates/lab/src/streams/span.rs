//! Stretches of time, and how they overlap.

/// From one moment to another, s.
pub type TimeSpan = (f64, f64);

/// How long both last together, s. 0 where they do not overlap.
pub fn overlap(a: TimeSpan, b: TimeSpan) -> f64 {
    (a.1.min(b.1) - a.0.max(b.0)).max(0.0)
}

/// How long it lasts, s.
pub fn length(a: TimeSpan) -> f64 {
    a.1 - a.0
}

/// Intersection over union, 0..1.
pub fn iou(a: TimeSpan, b: TimeSpan) -> f64 {
    let both = overlap(a, b);
    if both > 0.0 { both / (length(a) + length(b) - both) } else { 0.0 }
}
