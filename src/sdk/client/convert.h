#pragma once

// Conversions between the public types and Temporal's messages. Pure; nothing fails.

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "api/messages.h"
#include "holdfast/failure.h"
#include "holdfast/options.h"
#include "holdfast/payload.h"
#include "holdfast/seams.h"

namespace holdfast::client {

pb::common::v1::Payload to_proto(const Payload& payload);
pb::common::v1::Payload to_proto(Payload&& payload);
Payload from_proto(const pb::common::v1::Payload& payload);

void set_payloads(const std::vector<Payload>& from, pb::common::v1::Payloads* to);
void set_payloads(std::vector<Payload>&& from, pb::common::v1::Payloads* to);
std::vector<Payload> from_proto(const pb::common::v1::Payloads& payloads);
// The only payload of a result; null when there is none.
Payload single(const pb::common::v1::Payloads& payloads);

void set_map(const std::map<std::string, Payload>& from,
             google::protobuf::Map<std::string, pb::common::v1::Payload>* to);
std::map<std::string, Payload> from_proto(
    const google::protobuf::Map<std::string, pb::common::v1::Payload>& from);

void set_duration(Duration from, google::protobuf::Duration* to);
Duration from_proto(const google::protobuf::Duration& duration);
WallTime from_proto(const google::protobuf::Timestamp& time);
void set_timestamp(WallTime from, google::protobuf::Timestamp* to);

void set_retry_policy(const RetryPolicy& from, pb::common::v1::RetryPolicy* to);
RetryPolicy from_proto(const pb::common::v1::RetryPolicy& policy);

}  // namespace holdfast::client
