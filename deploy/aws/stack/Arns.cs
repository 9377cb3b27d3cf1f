using Amazon.CDK;

namespace Spotter.Cloud;

/// <summary>Names of what the stack has, and of what only gateways make, for policies.</summary>
internal static class Arns
{
    /// <summary>Of a service's resource in this account and region.</summary>
    public static string Here(string service, string resource) => Arn(service, "${AWS::Region}:${AWS::AccountId}", resource);

    /// <summary>Of objects: their bucket's, and what their names look like.</summary>
    public static string Objects(string bucket, string key) => Arn("s3", ":", $"{bucket}/{key}");

    /// <summary>Of an image; they belong to no account.</summary>
    public static string Image(string image) => Arn("ec2", "${AWS::Region}:", $"image/{image}");

    /// <summary>Of a bucket.</summary>
    public static string Bucket(string bucket) => Arn("s3", ":", bucket);

    /// <summary>Of all queues of a stack.</summary>
    public static string Queues(string prefix) => Here("sqs", $"{prefix}-*");

    /// <summary>Of a secret of a stack; AWS adds six characters to its name.</summary>
    public static string Secret(string name) => Here("secretsmanager", $"secret:{name}-??????");

    // Readable in the template wherever the resource's name is known; what CloudFormation has to look up is put in.
    private static string Arn(string service, string place, string resource) => Token.IsUnresolved(resource)
        ? $"{Fn.Sub($"arn:${{AWS::Partition}}:{service}:{place}:")}{resource}"
        : Fn.Sub($"arn:${{AWS::Partition}}:{service}:{place}:{resource}");
}
