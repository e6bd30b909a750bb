from greeter import ffi

count = 0


@ffi.def_extern()
def greet(name):
    global count
    count += 1
    print(f"Hello, {ffi.string(name).decode()}!")
    return count
