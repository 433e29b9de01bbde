#pragma once

// Names of protobuf's enum values as Temporal says them: COMMAND_TYPE_START_TIMER is "StartTimer". Values
// come from outside, newer ones than this server knows included: those are their number. Pure.

#include <google/protobuf/descriptor.h>

#include <string>
#include <string_view>

namespace holdfast::api {

// Without `prefix`, which the names of the enum begin with.
std::string enum_name(const google::protobuf::EnumDescriptor& type, int value, std::string_view prefix);

}  // namespace holdfast::api
