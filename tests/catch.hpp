#pragma once
// Catch2, whichever major version the system has.
#ifdef SG_CATCH2_V2
#include <catch2/catch.hpp>
#else
#include <catch2/catch_all.hpp>
#endif
