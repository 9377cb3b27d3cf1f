using Xunit.Abstractions;
using Xunit.Sdk;

[assembly: TestFramework("Spotter.Tests.TestsThatNeed", "Spotter.Tests")]

namespace Spotter.Tests;

/// <summary>A class of tests that needs something which not every machine has; all of its tests are counted as skipped without it.</summary>
[AttributeUsage(AttributeTargets.Class)]
public abstract class NeedsAttribute : Attribute
{
    /// <summary>What is missing, for people; null when nothing is.</summary>
    public abstract string? Missing { get; }
}

/// <summary>Stands on a suite's subclass that can't have some of its tests; these are counted as skipped.</summary>
/// <param name="why">Why, in one sentence.</param>
/// <param name="tests">Their names.</param>
[AttributeUsage(AttributeTargets.Class, AllowMultiple = true)]
public sealed class SkipsAttribute(string why, params string[] tests) : Attribute
{
    /// <summary>Why, in one sentence.</summary>
    public string Why => why;

    /// <summary>Their names.</summary>
    public IReadOnlyList<string> Tests => tests;
}

/// <summary>xunit, with these attributes: a suite whose tests are inherited can't say of each of them that it is skipped.</summary>
public sealed class TestsThatNeed(IMessageSink messages) : XunitTestFramework(messages)
{
    protected override ITestFrameworkDiscoverer CreateDiscoverer(IAssemblyInfo assemblyInfo) =>
        new Discoverer(assemblyInfo, SourceInformationProvider, DiagnosticMessageSink);

    private sealed class Discoverer(IAssemblyInfo assembly, ISourceInformationProvider sources, IMessageSink messages)
        : XunitTestFrameworkDiscoverer(assembly, sources, messages)
    {
        protected override bool FindTestsForMethod(
            ITestMethod testMethod, bool includeSourceInformation, IMessageBus messageBus, ITestFrameworkDiscoveryOptions discoveryOptions)
        {
            var needs = Of<NeedsAttribute>(testMethod).Select(a => a.Missing).FirstOrDefault(m => m is not null)
                ?? Of<SkipsAttribute>(testMethod).FirstOrDefault(a => a.Tests.Contains(testMethod.Method.Name, StringComparer.Ordinal))?.Why;
            if (needs is null || !testMethod.Method.GetCustomAttributes(typeof(FactAttribute)).Any())
                return base.FindTestsForMethod(testMethod, includeSourceInformation, messageBus, discoveryOptions);
            var skipped = new XunitSkippedDataRowTestCase(
                DiagnosticMessageSink, discoveryOptions.MethodDisplayOrDefault(), discoveryOptions.MethodDisplayOptionsOrDefault(), testMethod, needs);
            return ReportDiscoveredTestCase(skipped, includeSourceInformation, messageBus);
        }

        private static IEnumerable<T> Of<T>(ITestMethod method) where T : Attribute =>
            method.TestClass.Class.GetCustomAttributes(typeof(T)).OfType<IReflectionAttributeInfo>().Select(a => (T)a.Attribute);
    }
}
