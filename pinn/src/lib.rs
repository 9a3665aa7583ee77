//! The place of physics-informed networks. It has nothing yet.
