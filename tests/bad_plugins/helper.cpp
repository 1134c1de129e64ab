// A library of a plugin's own. Not built with sg_add_plugin: g++ makes `calls` unique in the process (clang
// has no such thing), so that the library stays in a process which has loaded it once.
template <int>
struct Shared {
    static int calls;
};
template <int N>
int Shared<N>::calls = 0;

int helper_version();
int helper_version() {
    ++Shared<0>::calls;
    return HELPER;
}
