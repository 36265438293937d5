// What keeps the memory of a long run small. Both are read when a process starts: glibc keeps a heap for every thread and
// gives little back, and Node.js lets its heap grow severalfold before it collects, though a pipeline's objects are
// short-lived and few.
export const allocator = { MALLOC_ARENA_MAX: "2", MALLOC_TRIM_THRESHOLD_: "65536" };
export const nodeOptions = ["--max-semi-space-size=8", "--heap-growing-percent=100"];
