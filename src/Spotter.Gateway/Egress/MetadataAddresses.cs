using System.Net;

namespace Spotter.Gateway.Egress;

/// <summary>
/// Where clouds answer their machines, keys and passwords among the answers. No allow list opens these: neither by name nor by
/// address, nor by an IPv6 address that leads to one of them.
/// </summary>
internal static class MetadataAddresses
{
    private static readonly AddressBlock[] Known = Array.ConvertAll(
    [
        // Nearly all: docs.aws.amazon.com/AWSEC2/latest/UserGuide/configuring-instance-metadata-service.html,
        // cloud.google.com/compute/docs/metadata, learn.microsoft.com/azure/virtual-machines/instance-metadata-service,
        // docs.oracle.com/iaas/Content/Compute/Tasks/gettingmetadata.htm, docs.openstack.org/nova/latest/user/metadata.html
        "169.254.169.254",
        "169.254.170.2",    // AWS ECS tasks: docs.aws.amazon.com/AmazonECS/latest/developerguide/task-iam-roles.html
        "169.254.170.23",   // AWS EKS pods: docs.aws.amazon.com/eks/latest/userguide/pod-id-how-it-works.html
        "169.254.42.42",    // Scaleway: www.scaleway.com/en/docs/instances/how-to/use-cloud-init
        "169.254.0.23",     // Tencent: www.tencentcloud.com/document/product/213/4934
        "100.100.100.200",  // Alibaba: www.alibabacloud.com/help/en/ecs/user-guide/view-instance-metadata
        "192.0.0.192",      // Oracle Cloud Classic: docs.oracle.com/cloud/latest/stcomputecs/STCSG
        "168.63.129.16",    // Azure's host: learn.microsoft.com/azure/virtual-network/what-is-ip-address-168-63-129-16
        "fd00:ec2::254",    // AWS over IPv6, same page as above
        "fd00:ec2::23",     // AWS EKS pods over IPv6, same page as above
        "fd20:ce::254",     // Google over IPv6, same page as above
        "fd00:c1::a9fe:a9fe", // Oracle over IPv6, same page as above
        "fd00:42::42",      // Scaleway over IPv6, same page as above
        "fe80::a9fe:a9fe",  // OpenStack over IPv6, same page as above
    ], address => AddressBlock.Of(IPAddress.Parse(address)));

    /// <summary>Whether an address is one of them, or an IPv6 one that leads to one of them.</summary>
    public static bool Contains(IPAddress address) => IsKnown(address) || EmbeddedAddresses.In(address).Any(IsKnown);

    private static bool IsKnown(IPAddress address) => Array.Exists(Known, block => block.Contains(address));
}
