using System.Text.Json;
using System.Text.Json.Serialization;
using Spotter.Core;

namespace Spotter.Jobs;

/// <summary>How Spotter writes its records as JSON: camel case, enumerations as lower-case words, no reflection.</summary>
// Not all languages write the members of an object in an order of one's choice.
[JsonSourceGenerationOptions(JsonSerializerDefaults.Web, AllowOutOfOrderMetadataProperties = true)]
[JsonSerializable(typeof(JobTimings))]
[JsonSerializable(typeof(JobError))]
[JsonSerializable(typeof(string[]))]
[JsonSerializable(typeof(JobEvent))]
[JsonSerializable(typeof(IReadOnlyList<JobEvent>))]
[JsonSerializable(typeof(JobSpec))]
[JsonSerializable(typeof(IReadOnlyList<JobNotification>))]
[JsonSerializable(typeof(IReadOnlyList<OutputRef>))]
[JsonSerializable(typeof(Job))]
[JsonSerializable(typeof(Lease))]
[JsonSerializable(typeof(StartedJob))]
[JsonSerializable(typeof(JobOutcome))]
[JsonSerializable(typeof(IReadOnlyList<ModelInfo>))]
[JsonSerializable(typeof(RawJson))]
[JsonSerializable(typeof(EngineDeclaration))]
[JsonSerializable(typeof(WorkerJoin))]
[JsonSerializable(typeof(WorkerWelcome))]
[JsonSerializable(typeof(WorkerTake))]
[JsonSerializable(typeof(WorkerHeartbeat))]
[JsonSerializable(typeof(WorkerOrders))]
[JsonSerializable(typeof(WorkerFinish))]
[JsonSerializable(typeof(WorkerExchange))]
[JsonSerializable(typeof(WorkerExchanged))]
[JsonSerializable(typeof(WorkerOutput))]
[JsonSerializable(typeof(WorkerOutputAsk))]
[JsonSerializable(typeof(WorkerOutputForm))]
[JsonSerializable(typeof(UploadTicket))]
public sealed partial class SpotterJson : JsonSerializerContext;
