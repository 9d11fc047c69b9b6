//! Gaussians from the ascent of the log joint: L-BFGS, Laplace, Pathfinder.

mod advice;
mod laplace;
mod pathfinder;
mod quasi_newton;
mod targets;
