#include "cuda.hpp"
extern "C" {
State emulated_state;
}
