namespace Spotter.Tests.Aws;

[NeedsMoto]
[Collection(Moto.Name)]
[Lacks(Ability.Order, "SQS delivers messages in any order, and nobody counts places.")]
public sealed class AwsJobStoreTests(Moto moto) : AwsJobStoreConformance(moto);

[NeedsMoto]
[Collection(Moto.Name)]
[Lacks(Ability.Order, "SQS delivers messages in any order, and nobody counts places.")]
public sealed class AwsJobServiceTests(Moto moto) : AwsJobServiceConformance(moto);

[NeedsMoto]
[Collection(Moto.Name)]
public sealed class AwsOutboxTests(Moto moto) : AwsOutboxConformance(moto);

[NeedsMoto]
[Collection(Moto.Name)]
public sealed class AwsInboxTests(Moto moto) : AwsInboxConformance(moto);

[NeedsMoto]
[Collection(Moto.Name)]
public sealed class AwsControllerLeaseTests(Moto moto) : AwsControllerLeaseConformance(moto);

[NeedsMoto]
[Collection(Moto.Name)]
public sealed class AwsModelRegistryTests(Moto moto) : AwsModelRegistryConformance(moto);
