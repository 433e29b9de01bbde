#include "rpc/reflection.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/descriptor.pb.h>

#include <set>
#include <vector>

#include "api/method.h"
#include "holdfast/rpc/v1/reflection.pb.h"
#include "temporal/api/operatorservice/v1/service.pb.h"
#include "temporal/api/workflowservice/v1/service.pb.h"

namespace holdfast::rpc {
namespace {

namespace pb = google::protobuf;
using namespace holdfast::rpc::v1;  // NOLINT(google-build-using-namespace): one file of messages

// The linker takes the services' descriptors out of their library only when something there is used.
const pb::DescriptorPool& descriptors() {
  static const pb::internal::AddDescriptorsRunner workflow(
      &descriptor_table_temporal_2fapi_2fworkflowservice_2fv1_2fservice_2eproto);
  static const pb::internal::AddDescriptorsRunner operators(
      &descriptor_table_temporal_2fapi_2foperatorservice_2fv1_2fservice_2eproto);
  return *pb::DescriptorPool::generated_pool();
}

// The file and all it needs, each once, what is needed first to be found later.
void add_file(const pb::FileDescriptor& file, std::set<const pb::FileDescriptor*>& seen,
              FileDescriptorResponse& into) {
  std::vector<const pb::FileDescriptor*> left{&file};
  while (!left.empty()) {
    const pb::FileDescriptor* next = left.back();
    left.pop_back();
    if (!seen.insert(next).second) continue;
    pb::FileDescriptorProto proto;
    next->CopyTo(&proto);
    into.add_file_descriptor_proto(proto.SerializeAsString());
    for (int i = 0; i < next->dependency_count(); ++i) left.push_back(next->dependency(i));
  }
}

void answer_file(const pb::FileDescriptor* file, const std::string& name,
                 ServerReflectionResponse& response) {
  if (file == nullptr) {
    response.mutable_error_response()->set_error_code(static_cast<int>(Code::kNotFound));
    response.mutable_error_response()->set_error_message("nothing here is called " + name);
    return;
  }
  std::set<const pb::FileDescriptor*> seen;
  add_file(*file, seen, *response.mutable_file_descriptor_response());
}

const pb::FieldDescriptor* find_extension(const ExtensionRequest& wanted) {
  const auto* type = descriptors().FindMessageTypeByName(wanted.containing_type());
  return type == nullptr ? nullptr : descriptors().FindExtensionByNumber(type, wanted.extension_number());
}

void answer_numbers(const std::string& name, ServerReflectionResponse& response) {
  const auto* type = descriptors().FindMessageTypeByName(name);
  if (type == nullptr) return answer_file(nullptr, name, response);
  std::vector<const pb::FieldDescriptor*> extensions;
  descriptors().FindAllExtensions(type, &extensions);
  auto& numbers = *response.mutable_all_extension_numbers_response();
  numbers.set_base_type_name(name);
  for (const auto* extension : extensions) numbers.add_extension_number(extension->number());
}

}  // namespace

bool is_reflection(std::string_view path) {
  return path == "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo" ||
         path == "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo";
}

Result<std::string> reflect(std::string_view bytes) {
  ServerReflectionRequest request;
  if (!request.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())))
    return fail(Code::kInvalidArgument, "the request is not a valid ServerReflectionRequest");
  ServerReflectionResponse response;
  response.set_valid_host(request.host());
  switch (request.message_request_case()) {
    case ServerReflectionRequest::kFileByFilename:
      answer_file(descriptors().FindFileByName(request.file_by_filename()), request.file_by_filename(),
                  response);
      break;
    case ServerReflectionRequest::kFileContainingSymbol:
      answer_file(descriptors().FindFileContainingSymbol(request.file_containing_symbol()),
                  request.file_containing_symbol(), response);
      break;
    case ServerReflectionRequest::kFileContainingExtension: {
      const auto* extension = find_extension(request.file_containing_extension());
      answer_file(extension == nullptr ? nullptr : extension->file(),
                  request.file_containing_extension().containing_type(), response);
      break;
    }
    case ServerReflectionRequest::kAllExtensionNumbersOfType:
      answer_numbers(request.all_extension_numbers_of_type(), response);
      break;
    case ServerReflectionRequest::kListServices: {
      auto& services = *response.mutable_list_services_response();
      for (const std::string_view name : {api::kServiceName, api::kOperatorServiceName})
        services.add_service()->set_name(std::string(name));
      services.add_service()->set_name("grpc.reflection.v1.ServerReflection");
      services.add_service()->set_name("grpc.reflection.v1alpha.ServerReflection");
      break;
    }
    case ServerReflectionRequest::MESSAGE_REQUEST_NOT_SET:
      response.mutable_error_response()->set_error_code(static_cast<int>(Code::kInvalidArgument));
      response.mutable_error_response()->set_error_message("the request asks for nothing");
      break;
  }
  *response.mutable_original_request() = std::move(request);
  return response.SerializeAsString();
}

}  // namespace holdfast::rpc
