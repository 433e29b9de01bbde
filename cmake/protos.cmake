# Temporal's protocol messages, generated at build time from the pinned PyPI wheel of the Python SDK (MIT), which
# the tests need anyway. Nothing generated is committed. Only what WorkflowService and OperatorService reach is
# compiled.

# The x86-64 wheel on every machine: only its .proto files are used.
fetch_from_pypi(_protos temporalio 1.31.0 HASH 04d26f0f634f5325f6a19a45cd67cc5a2da4bd35268d27997f6723134d38c8be
                PATTERNS "*/sdk-core/crates/protos/protos/*"
                PIP --only-binary=:all: --platform manylinux2014_x86_64 --python-version 3.11)

find_package(Protobuf REQUIRED)

# Copies the closure of the two services into the build tree and names its files.
set(_proto_root ${CMAKE_BINARY_DIR}/protos/src)
set(_gen_root ${CMAKE_BINARY_DIR}/protos/gen)
file(MAKE_DIRECTORY ${_gen_root})
execute_process(
  COMMAND ${Python3_EXECUTABLE} ${CMAKE_SOURCE_DIR}/tools/proto_closure.py
          --from ${_protos}/temporalio/bridge/sdk-core/crates/protos/protos/api_upstream --to ${_proto_root}
          temporal/api/workflowservice/v1/service.proto temporal/api/operatorservice/v1/service.proto
          temporal/api/errordetails/v1/message.proto google/rpc/status.proto
  OUTPUT_VARIABLE _files OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
separate_arguments(_files)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tools/proto_closure.py)

# holdfast_messages(target ROOT dir FILES ...): a library of generated messages.
# -O2 and no debug information in every preset: the objects are the same, so the compiler cache is shared.
function(holdfast_messages target root)
  set(sources)
  set(headers)
  set(inputs)
  foreach(file ${ARGN})
    string(REGEX REPLACE "[.]proto$" "" stem ${file})
    list(APPEND sources ${_gen_root}/${stem}.pb.cc)
    list(APPEND headers ${_gen_root}/${stem}.pb.h)
    list(APPEND inputs ${root}/${file})
  endforeach()
  add_custom_command(
    OUTPUT ${sources} ${headers}
    COMMAND protobuf::protoc -I${_proto_root} -I${CMAKE_SOURCE_DIR}/proto --cpp_out=${_gen_root} ${inputs}
    DEPENDS ${inputs}
    COMMENT "Generating messages of ${target}" VERBATIM)
  add_library(${target} STATIC ${sources})
  target_include_directories(${target} SYSTEM PUBLIC ${_gen_root})
  target_compile_options(${target} PRIVATE -O2 -g0 -w)
  target_link_libraries(${target} PUBLIC protobuf::libprotobuf)
endfunction()

holdfast_messages(holdfast_temporal_messages ${_proto_root} ${_files})

# Our own stored formats: proto/holdfast/engine/v1/*.proto, which may import Temporal's.
file(GLOB _own RELATIVE ${CMAKE_SOURCE_DIR}/proto CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/proto/holdfast/engine/*/*.proto)
holdfast_messages(holdfast_stored_messages ${CMAKE_SOURCE_DIR}/proto ${_own})
target_link_libraries(holdfast_stored_messages PUBLIC holdfast_temporal_messages)

# What the gRPC server says beside Temporal's messages.
holdfast_messages(holdfast_rpc_messages ${CMAKE_SOURCE_DIR}/proto holdfast/rpc/v1/reflection.proto)

# What the sandbox and Monty say to each other.
holdfast_messages(holdfast_monty_messages ${CMAKE_SOURCE_DIR}/proto holdfast/monty/v1/worker.proto)
